/** Load from other implementations, each of which ends with code 0 only if every call was answered, and rightly. */
interface Command {
  readonly command: string
  readonly args: readonly string[]
}

interface Peers {
  readonly peer: (name: 'load') => Promise<Command>
  readonly nodeThriftPeer: (program: 'item-client') => Promise<Command>
}

interface Processes {
  readonly run: (
    command: Command,
    options: { readonly timeout: number },
  ) => Promise<{ readonly code: number; readonly output: string }>
}

const script = async <T>(file: string): Promise<T> =>
  (await import(new URL(`../../scripts/${file}`, import.meta.url).href)) as T

const { peer, nodeThriftPeer } = await script<Peers>('peers.mjs')
const { run } = await script<Processes>('lib/process.mjs')

export interface Loaded {
  readonly code: number
  readonly output: string
}

async function load(command: Command, port: string, seconds: number, more: readonly string[]): Promise<Loaded> {
  const args = [...command.args, '--port', port, '--seconds', String(seconds), ...more]
  const { code, output } = await run({ ...command, args }, { timeout: 50_000 })
  return { code, output }
}

/** The load generator of the benchmark: a closed loop on each of its connections, which it never opens anew. */
export const rustLoad = async (port: string, seconds: number, connections: number, depth: number): Promise<Loaded> =>
  load(await peer('load'), port, seconds, ['--connections', String(connections), '--depth', String(depth)])

/** npm's `thrift` client on one connection, which stays open. */
export const npmLoad = async (port: string, seconds: number): Promise<Loaded> =>
  load(await nodeThriftPeer('item-client'), port, seconds, ['--inflight', '4'])
