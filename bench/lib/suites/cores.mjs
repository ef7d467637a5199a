/**
 * The table of Volo's headline figures for our runtimes: requests a second on n CPUs, and a CPU. Volo's (its README: 350k on Tokio and 440k on Monoio,
 * 4 cores) were measured on another machine; they stand beside ours as a mark. Volo itself, measured in the same rounds, is what tells about the code.
 */
import { peer } from '../../../scripts/peers.mjs'
import { pinned, ServerProcess } from '../../../scripts/lib/process.mjs'
import { against, alone, atLeast } from '../row.mjs'
import { measureServers, startServer } from '../runtimes.mjs'
import { withArgs } from '../servers.mjs'

/** @typedef {import('../row.mjs').Row} Row */

/** Requests a second and core that Volo names for Thrift. */
const HEADLINE = { tokio: 88_000, monoio: 110_000 }

/** Connections a CPU of the servers. */
const CONNECTIONS = 64

/** I/O threads that one isolate keeps up with: its own part of a call is a fraction of theirs. */
const THREADS_AN_ISOLATE = 4

/**
 * The three on n CPUs: inline has an isolate a CPU; the others an I/O thread a CPU, and the isolates that those need.
 * @param {number} cpus
 * @returns {Record<'tokio' | 'monoio' | 'inline', import('../runtimes.mjs').Contestant>}
 */
export function contestantsOn(cpus) {
  const isolates = Math.ceil(cpus / THREADS_AN_ISOLATE)
  const threads = Math.ceil(cpus / isolates)
  const several = (/** @type {number} */ count) => (count > 1 ? { isolates: count } : {})
  return {
    tokio: { runtime: 'tokio', threads, ...several(isolates) },
    monoio: { runtime: 'monoio', threads, ...several(isolates) },
    inline: { runtime: 'inline', ...several(cpus) },
  }
}

/**
 * @param {number} count
 * @param {string} what
 */
const counted = (count, what) => `${count} ${what}${count === 1 ? '' : 's'}`

/**
 * @param {import('./thrift.mjs').Settings & { placement: import('../cpus.mjs').Placement }} settings
 * @returns {Promise<Row[]>}
 */
export async function cores({ rounds, seconds, progress, placement }) {
  const generator = await peer('load')
  const volo = withArgs(await peer('volo'), ['item-server', '--port', '0'])
  const count = placement.server.length
  const cpus = placement.server.join(',')
  const load = {
    connections: CONNECTIONS * count,
    depth: 1,
    seconds,
    cpus: placement.load.join(','),
    processes: placement.load.length,
  }
  const contestants = contestantsOn(count)
  const measured = await measureServers(
    {
      tokio: () => startServer(contestants.tokio, cpus),
      monoio: () => startServer(contestants.monoio, cpus),
      inline: () => startServer(contestants.inline, cpus),
      Volo: () => ServerProcess.start(pinned(cpus, volo)),
    },
    () => load,
    { rounds, generator, progress: (text) => progress(`${counted(count, 'CPU')}, ${text}`) },
  )

  const where = `${load.connections} × 1, servers on CPU ${cpus}, load on ${load.cpus}`
  return /** @type {const} */ (['tokio', 'monoio', 'inline']).flatMap((name) => {
    const rates = measured[name].map(({ qps }) => qps)
    const { threads = 1, isolates = 1 } = contestants[name]
    const made =
      name === 'inline'
        ? counted(isolates, 'isolate')
        : `${counted(isolates, 'isolate')}, ${counted(threads, 'I/O thread')} each`
    const headline = HEADLINE[name === 'inline' ? 'monoio' : name]
    const theirs = measured.Volo.map(({ qps }) => qps)
    return [
      against(`${name}: requests, ${where}`, '/s', rates, 'Volo in Rust', theirs, undefined, made),
      alone(
        `${name}: requests a CPU`,
        '/s',
        rates.map((rate) => rate / count),
        atLeast(headline),
        `Volo's own figure for ${name === 'tokio' ? 'Tokio' : 'Monoio'}, of another machine with 4 cores`,
      ),
    ]
  })
}
