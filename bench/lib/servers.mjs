/** The servers that are measured: ours, and those it is compared with. Each answers the same calls of ItemService with the same items. */
import { join } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'

import { nodeThriftPeer, peer } from '../../scripts/peers.mjs'
import { root } from '../../scripts/lib/paths.mjs'
import { pinned, ServerProcess } from '../../scripts/lib/process.mjs'
import { SERVER_CPU } from './load.mjs'

/** @typedef {import('../../scripts/lib/process.mjs').Command} Command */
/** @typedef {'ours' | 'raw' | 'volo' | 'npm'} Name */

/** What the table calls them. */
export const TITLES = { ours: 'volo-js', raw: 'bare epoll', volo: 'Volo', npm: 'npm thrift' }

/**
 * The command that starts a server on a free port.
 * @param {Name} name
 * @param {readonly string[]} options
 * @returns {Promise<Command>}
 */
async function serverCommand(name, options) {
  if (name === 'ours') return ourServer(options)
  if (name === 'npm') return withArgs(await nodeThriftPeer('item-server'), ['--port', '0', ...options])
  const command = await peer(name)
  return withArgs(command, [...(name === 'volo' ? ['item-server'] : []), '--port', '0', ...options])
}

/**
 * Our server. It answers `usage` on its message channel.
 * @param {readonly string[]} options
 * @param {readonly string[]} [nodeArgs]
 * @param {string} [file] of bench/lib
 * @returns {Command}
 */
export function ourServer(options, nodeArgs = [], file = 'item-server.mjs') {
  const hook = pathToFileURL(join(root, 'scripts', 'lib', 'usage-hook.mjs')).href
  const program = join(root, 'bench', 'lib', file)
  return { command: process.execPath, args: ['--import', hook, ...nodeArgs, program, ...options] }
}

/**
 * @param {Command} command
 * @param {readonly string[]} args
 * @returns {Command}
 */
export function withArgs(command, args) {
  return { ...command, args: [...command.args, ...args] }
}

/**
 * Starts servers, each held to the CPU of servers: one that nobody calls takes no time there. Ours finds out what it is spoken to in,
 * npm's is told.
 * @template {Name} N
 * @template T
 * @param {readonly N[]} names
 * @param {{ contentSize?: number, echo?: boolean, protocol?: 'binary' | 'compact' }} options
 * @param {(servers: Record<N, ServerProcess>) => Promise<T>} use
 * @returns {Promise<T>}
 */
export function withServers(names, options, use) {
  const { contentSize, echo = false, protocol } = options
  const args = [...(contentSize === undefined ? [] : ['--content-size', `${contentSize}`]), ...(echo ? ['--echo'] : [])]
  const spoken = protocol === undefined ? [] : ['--protocol', protocol]
  return running(names, (name) => serverCommand(name, name === 'npm' ? [...args, ...spoken] : args), use)
}

/**
 * Starts the servers that `command` says; `ours` gets a message channel, for {@link usage}.
 * @template {string} N
 * @template T
 * @param {readonly N[]} names
 * @param {(name: N) => Promise<Command>} command
 * @param {(servers: Record<N, ServerProcess>) => Promise<T>} use
 * @param {number} [cpu] where they run, default {@link SERVER_CPU}
 * @returns {Promise<T>}
 */
export async function running(names, command, use, cpu = SERVER_CPU) {
  const servers = /** @type {Record<N, ServerProcess>} */ ({})
  try {
    for (const name of names) {
      servers[name] = await ServerProcess.start(pinned(cpu, await command(name)), { ipc: name === 'ours' })
    }
    return await use(servers)
  } finally {
    await Promise.all(Object.values(servers).map((server) => /** @type {ServerProcess} */ (server).stop()))
  }
}

/**
 * CPU time (µs), memory (bytes) and garbage collector pauses (ms) of our server.
 * @param {ServerProcess} server
 */
export async function usage(server) {
  return /** @type {{ cpu: number, rss: number, pauses: number }} */ (await server.ask('usage'))
}
