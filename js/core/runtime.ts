import { VoloError } from './errors.js'

/**
 * What moves the bytes: `inline`, this isolate's own event loop; `tokio` and `monoio`, I/O threads beside it, for machines with
 * cores to spare. Monoio uses io_uring where the kernel lets it, epoll otherwise. Windows has `tokio` alone.
 */
export type RuntimeKind = 'inline' | 'tokio' | 'monoio'

/** Options of a runtime. */
export interface RuntimeOptions {
  /**
   * I/O threads beside this isolate's; servers and clients of one runtime with as many threads share them. Default 1. The
   * runtime `inline` has none.
   */
  readonly threads?: number
}

/** Which runtime moves the bytes of a server. */
export interface RuntimeInfo {
  readonly kind: RuntimeKind
  /** What tells that sockets are ready, or moves their bytes. */
  readonly driver: 'epoll' | 'io_uring' | 'kqueue' | 'iocp'
  /** I/O threads beside the isolate's. */
  readonly threads: number
}

/** A runtime that was chosen, in the core's words. */
export interface ChosenRuntime {
  readonly runtime: RuntimeKind
  readonly threads: number
}

const kinds: readonly string[] = ['inline', 'tokio', 'monoio'] satisfies RuntimeKind[]

/** More than any machine has use for. */
const MAX_THREADS = 256

/**
 * The runtime to use. `VOLO_RUNTIME` and `VOLO_THREADS` in the environment come before what the program says, for operators.
 * @param kind Default `inline`; `tokio` on Windows.
 * @param platform As `process.platform`, where it is not this process's.
 * @throws VoloError INVALID_ARGUMENT for a kind or number of threads that is none; FAILED_PRECONDITION for a kind that this system does not
 *   have.
 */
export function chooseRuntime(
  kind?: RuntimeKind,
  options: RuntimeOptions = {},
  platform: NodeJS.Platform = process.platform,
): ChosenRuntime {
  const { VOLO_RUNTIME: kindOfEnvironment, VOLO_THREADS: threadsOfEnvironment } = process.env
  const from = kindOfEnvironment === undefined || kindOfEnvironment === '' ? '' : 'VOLO_RUNTIME: '
  const asked = from === '' ? kind : kindOfEnvironment
  const runtime = asked === undefined ? defaultOn(platform) : checkKind(asked, from, platform)
  if (runtime === 'inline') return { runtime, threads: 0 }
  if (threadsOfEnvironment !== undefined && threadsOfEnvironment !== '') {
    return { runtime, threads: checkThreads(Number(threadsOfEnvironment), 'VOLO_THREADS: ') }
  }
  return { runtime, threads: checkThreads(options.threads ?? 1, '') }
}

/** libuv waits on sockets alone on Windows, so a reactor cannot be turned by it there. */
function defaultOn(platform: NodeJS.Platform): RuntimeKind {
  return platform === 'win32' ? 'tokio' : 'inline'
}

function checkKind(kind: string, from: string, platform: NodeJS.Platform): RuntimeKind {
  if (!kinds.includes(kind)) {
    throw new VoloError('INVALID_ARGUMENT', `${from}there is no runtime '${kind}'; there are ${kinds.join(', ')}`)
  }
  if (platform === 'win32' && kind !== 'tokio') {
    throw new VoloError(
      'FAILED_PRECONDITION',
      `${from}Windows has no runtime '${kind}'; use 'tokio', the default there. Addresses memory:… need no runtime`,
    )
  }
  return kind as RuntimeKind
}

function checkThreads(threads: number, from: string): number {
  if (Number.isInteger(threads) && threads >= 1 && threads <= MAX_THREADS) return threads
  throw new VoloError(
    'INVALID_ARGUMENT',
    `${from}a runtime has between 1 and ${MAX_THREADS} threads, not ${String(threads)}`,
  )
}
