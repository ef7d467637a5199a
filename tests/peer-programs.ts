/**
 * Other programs, as processes: peers, load generators, checkers. `node scripts/peers.mjs` builds what is missing.
 *
 * The scripts are plain JavaScript that other programs share; the types are what tests use of them.
 */
export interface Command {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** A server that listens. */
export interface Running {
  readonly pid: number
  readonly address: string
  readonly port: number
  /** The last of what it has printed. */
  readonly output: string
  stop(): Promise<number>
}

/** What came of a program that has ended. */
export interface Result {
  readonly code: number
  readonly output: string
  readonly stdout: string
}

interface Processes {
  /** `timeout` is in milliseconds. */
  readonly run: (command: Command, options: { readonly timeout: number }) => Promise<Result>
  readonly ServerProcess: { start(command: Command): Promise<Running> }
}

interface Peers {
  readonly peer: (name: 'load' | 'grpc-load' | 'volo-fast' | 'grpcurl' | 'ghz' | 'h2spec') => Promise<Command>
  readonly attackPython: () => Promise<Command>
  readonly grpcGoPeer: (program: string) => Promise<Command>
  readonly grpcJsPeer: (program: string) => Promise<Command>
  readonly kitexPeer: (program: string) => Promise<Command>
  readonly nodeThriftPeer: (program: string) => Promise<Command>
  readonly pythonPeer: (program: string) => Promise<Command>
}

const script = async <T>(file: string): Promise<T> =>
  (await import(new URL(`../scripts/${file}`, import.meta.url).href)) as T

export const { run, ServerProcess } = await script<Processes>('lib/process.mjs')
export const { attackPython, grpcGoPeer, grpcJsPeer, kitexPeer, nodeThriftPeer, peer, pythonPeer } =
  await script<Peers>('peers.mjs')
