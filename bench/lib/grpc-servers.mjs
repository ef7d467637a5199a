/** The gRPC servers that are measured: ours, and those it is compared with. Each answers the same calls with the same items. */
import { grpcGoPeer, grpcJsPeer, peer } from '../../scripts/peers.mjs'
import { ourServer, running, withArgs } from './servers.mjs'

/** @typedef {import('../../scripts/lib/process.mjs').Command} Command */
/** @typedef {import('../../scripts/lib/process.mjs').ServerProcess} ServerProcess */
/** @typedef {'ours' | 'tapped' | 'h2-bare' | 'tonic' | 'grpc-go' | 'grpc-js' | 'nice-grpc' | 'connect-node'} Name */

/** What the table calls them. */
export const TITLES = {
  ours: 'volo-js',
  tapped: 'volo-js with a tap',
  'h2-bare': 'bare h2',
  tonic: 'tonic',
  'grpc-go': 'grpc-go',
  'grpc-js': 'grpc-js',
  'nice-grpc': 'nice-grpc',
  'connect-node': 'connect-node',
}

/** @type {Record<Name, () => Promise<Command> | Command>} */
const programs = {
  ours: () => ourServer([], [], 'item-grpc-server.mjs'),
  tapped: () => ourServer(['--tap'], [], 'item-grpc-server.mjs'),
  'h2-bare': () => peer('h2-bare'),
  tonic: () => peer('tonic'),
  'grpc-go': () => grpcGoPeer('item-server'),
  'grpc-js': () => grpcJsPeer('item-server'),
  'nice-grpc': () => grpcJsPeer('nice-server'),
  'connect-node': () => grpcJsPeer('connect-server'),
}

/**
 * Starts servers, each held to the CPU of servers.
 * @template {Name} N
 * @template T
 * @param {readonly N[]} names
 * @param {{ streamItems?: number }} options
 * @param {(servers: Record<N, ServerProcess>) => Promise<T>} use
 * @returns {Promise<T>}
 */
export function withGrpcServers(names, { streamItems }, use) {
  const items = streamItems === undefined ? [] : ['--stream-items', `${streamItems}`]
  return running(names, async (name) => withArgs(await programs[name](), ['--port', '0', ...items]), use)
}
