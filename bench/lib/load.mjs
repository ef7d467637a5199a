/** Load on a server, and what it says about the server. */
import { must, pinned } from '../../scripts/lib/process.mjs'
import { cpuTime } from './proc.mjs'

/**
 * @typedef {object} Load
 * @property {number} connections
 * @property {number} depth calls in flight a connection
 * @property {number} seconds
 * @property {number} [rate] calls a second on a fixed schedule; without it as many as get answered
 * @property {number} [contentSize] length of the content that replies must have
 */

/**
 * @typedef {object} Measured
 * @property {number} qps
 * @property {number} p50 µs
 * @property {number} p99 µs
 * @property {number} p999 µs
 * @property {number} cpu µs of the server's CPU time a request
 */

/** The CPU that servers run on, and the one that load comes from. */
export const SERVER_CPU = 0
export const LOAD_CPU = 1

/**
 * Puts load on a server from the Rust load generator, which checks every reply.
 * @param {import('../../scripts/lib/process.mjs').Command} generator
 * @param {import('../../scripts/lib/process.mjs').ServerProcess} server
 * @param {Load} load
 * @returns {Promise<Measured>}
 */
export async function putLoad(generator, server, load) {
  const args = [
    ...generator.args,
    ...['--host', server.host, '--port', `${server.port}`],
    ...['--connections', `${load.connections}`, '--depth', `${load.depth}`, '--seconds', `${load.seconds}`, '--json'],
    ...(load.rate === undefined ? [] : ['--rate', `${Math.round(load.rate)}`]),
    ...(load.contentSize === undefined ? [] : ['--content-size', `${load.contentSize}`]),
  ]
  const before = cpuTime(server.pid)
  const { stdout } = await must(pinned(LOAD_CPU, { ...generator, args }), { timeout: load.seconds * 1000 + 60_000 })
  const cpu = cpuTime(server.pid) - before
  const lines = stdout.trimEnd().split('\n')
  /** @type {{ qps: number, p50: number, p99: number, p999: number, replies: number }} */
  const result = JSON.parse(lines[lines.length - 1])
  const { qps, p50, p99, p999, replies } = result
  return { qps, p50, p99, p999, cpu: cpu / replies }
}

/**
 * Measures contestants in turns, so that what changes on the machine meanwhile changes all of them.
 * @template {string} Name
 * @param {readonly Name[]} names
 * @param {number} rounds
 * @param {(name: Name, round: number) => Promise<Measured>} measure
 * @returns {Promise<Record<Name, Measured[]>>}
 */
export async function alternate(names, rounds, measure) {
  const results = /** @type {Record<Name, Measured[]>} */ ({})
  for (const name of names) results[name] = []
  for (let round = 0; round < rounds; round++) {
    // Every other round the other way round: nobody is always first.
    const order = round % 2 === 0 ? names : [...names].reverse()
    for (const name of order) results[name].push(await measure(name, round))
  }
  return results
}
