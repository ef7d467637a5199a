/** What this process holds of the machine. */
import { readdirSync, readlinkSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'

export interface Held {
  /** Open sockets, pipes and pollers. Not files: Node leaves those open that a worker was reading its modules from when it was terminated. */
  readonly descriptors: number
  /** Threads, those of Node included. */
  readonly threads: number
  /** Resident memory in MiB. */
  readonly rss: number
}

/**
 * How a process is started whose resident memory shall show what it holds. glibc otherwise gives threads arenas of their own and keeps what
 * lies between what is in use, and V8 keeps young generations of 16 MiB an isolate: both grow for a thousand isolates, and are no leak.
 */
export const givingBack = {
  env: { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '65536', MALLOC_TRIM_THRESHOLD_: '131072' },
  flags: ['--expose-gc', '--max-semi-space-size=1'],
} as const

/** As it is after a collection of garbage. Needs `--expose-gc`. */
export function held(): Held {
  for (let round = 0; round < 3; round += 1) gc?.()
  return {
    descriptors: readdirSync('/proc/self/fd').filter((descriptor) => !isFile(descriptor)).length,
    threads: readdirSync('/proc/self/task').length,
    rss: Math.round(process.memoryUsage.rss() / 2 ** 20),
  }
}

/** What is held once it is no more than `most`, or after five seconds, for what ends in the background takes its time. */
export async function settled(most?: Held): Promise<Held> {
  for (let tries = 0; ; tries += 1) {
    await wait(100)
    const now = held()
    if (tries === 50) return now
    if (most === undefined ? tries === 5 : now.descriptors <= most.descriptors && now.threads <= most.threads)
      return now
  }
}

function isFile(descriptor: string): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith('/')
  } catch (error) {
    // The folder itself was one of those listed.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true
    throw error
  }
}
