/** Our server on each of its runtimes. */
import { pinned, ServerProcess } from '../../scripts/lib/process.mjs'
import { alternate, putLoad } from './load.mjs'
import { ourServer } from './servers.mjs'

/** @typedef {'inline' | 'tokio' | 'monoio'} Runtime */
/** @typedef {import('./load.mjs').Measured} Measured */

/** @type {readonly Runtime[]} */
export const RUNTIMES = ['inline', 'tokio', 'monoio']

/** Those with threads beside the isolate's. */
export const THREADED = /** @type {const} */ (['tokio', 'monoio'])

/**
 * One server to be measured.
 * @typedef {object} Contestant
 * @property {Runtime} runtime
 * @property {number} [threads] I/O threads an isolate, default 1; inline has none
 * @property {number} [isolates] isolates that share the port; without it the main thread serves
 * @property {readonly string[]} [options] further options of the server
 * @property {string} [addon] another binary than the one that was built
 */

/**
 * Starts our server.
 * @param {Contestant} contestant
 * @param {number | string} cpus that it is held to
 * @returns {Promise<ServerProcess>}
 */
export function startServer({ runtime, threads = 1, isolates, options = [], addon }, cpus) {
  const args = [...options, ...(isolates === undefined ? [] : ['--isolates', `${isolates}`])]
  const env = {
    VOLO_RUNTIME: runtime,
    VOLO_THREADS: `${threads}`,
    ...(addon === undefined ? {} : { VOLO_ADDON: addon }),
  }
  return ServerProcess.start(pinned(cpus, { ...ourServer(args), env }))
}

/**
 * How rounds are measured.
 * @typedef {object} How
 * @property {number} rounds
 * @property {import('../../scripts/lib/process.mjs').Command} generator
 * @property {(text: string) => void} progress
 */

/**
 * Rounds of load on several of our servers in turn, each held to the same CPUs.
 * @template {string} Name
 * @param {Record<Name, Contestant>} contestants
 * @param {(contestant: Contestant) => import('./load.mjs').Load} loadOf
 * @param {How & { cpus: number | string }} how `cpus`: the servers'
 * @returns {Promise<Record<Name, Measured[]>>}
 */
export function rounds(contestants, loadOf, { cpus, ...how }) {
  const names = /** @type {Name[]} */ (Object.keys(contestants))
  const starts = /** @type {Record<Name, () => Promise<ServerProcess>>} */ ({})
  for (const name of names) starts[name] = () => startServer(contestants[name], cpus)
  return measureServers(starts, (name) => loadOf(contestants[name]), how)
}

/**
 * Rounds of load on several servers in turn; those that wait take no time.
 * @template {string} Name
 * @param {Record<Name, () => Promise<ServerProcess>>} starts
 * @param {(name: Name) => import('./load.mjs').Load} loadOf
 * @param {How} how
 * @returns {Promise<Record<Name, Measured[]>>}
 */
export async function measureServers(starts, loadOf, { rounds: count, generator, progress }) {
  const names = /** @type {Name[]} */ (Object.keys(starts))
  const servers = /** @type {Record<Name, ServerProcess>} */ ({})
  try {
    for (const name of names) {
      servers[name] = await starts[name]()
      // Compilers and branch predictors get to see the load before anything counts.
      await putLoad(generator, servers[name], { ...loadOf(name), seconds: 1 })
    }
    return await alternate(names, count, (name, round) => {
      const load = loadOf(name)
      progress(`${load.connections} × ${load.depth}: ${name}, round ${round + 1} of ${count}`)
      return putLoad(generator, servers[name], load)
    })
  } finally {
    await Promise.all(Object.values(servers).map((server) => /** @type {ServerProcess} */ (server).stop()))
  }
}
