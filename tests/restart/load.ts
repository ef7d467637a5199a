/** Load from other implementations, each of which ends with code 0 only if every call was answered, and rightly. */
import { nodeThriftPeer, peer, run, type Command, type Result } from '../peer-programs.js'

function load(command: Command, port: string, seconds: number, more: readonly string[]): Promise<Result> {
  const args = [...command.args, '--port', port, '--seconds', String(seconds), ...more]
  return run({ ...command, args }, { timeout: 50_000 })
}

/** The load generator of the benchmark: a closed loop on each of its connections, which it never opens anew. */
export const rustLoad = async (port: string, seconds: number, connections: number, depth: number): Promise<Result> =>
  load(await peer('load'), port, seconds, ['--connections', String(connections), '--depth', String(depth)])

/** npm's `thrift` client on one connection, which stays open. */
export const npmLoad = async (port: string, seconds: number): Promise<Result> =>
  load(await nodeThriftPeer('item-client'), port, seconds, ['--inflight', '4'])
