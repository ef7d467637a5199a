/** Load on a server, and what it says about the server. */
import { must, pinned } from '../../scripts/lib/process.mjs'
import { cpuTime, difference, threadsOf } from './proc.mjs'

/**
 * @typedef {object} Load
 * @property {number} connections
 * @property {number} depth calls in flight a connection
 * @property {number} seconds
 * @property {number} [rate] calls a second on a fixed schedule; without it as many as get answered
 * @property {number} [contentSize] length of the content that replies must have
 * @property {number} [echo] bytes that are sent to be given back, instead of a request for an item
 * @property {'framed' | 'ttheader'} [transport] default framed
 * @property {'binary' | 'compact'} [protocol] default binary
 * @property {number | string} [cpus] where the load comes from, default {@link LOAD_CPU}
 * @property {number} [processes] generators side by side, which share connections and rate; default 1
 */

/**
 * @typedef {object} Measured
 * @property {number} qps
 * @property {number} p50 µs
 * @property {number} p99 µs
 * @property {number} p999 µs
 * @property {number} cpu µs of the server's CPU time a request
 * @property {number} replies in all
 * @property {number} loadCpu µs of the generators' CPU time a request
 * @property {import('./proc.mjs').ByRole} threads what the server's threads used meanwhile
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
  const processes = load.processes ?? 1
  const generators = Array.from({ length: processes }, (_, index) => {
    const connections = Math.floor((load.connections + index) / processes)
    const args = [
      ...generator.args,
      ...['--host', server.host, '--port', `${server.port}`],
      ...['--connections', `${connections}`, '--depth', `${load.depth}`, '--seconds', `${load.seconds}`, '--json'],
      ...(load.rate === undefined ? [] : ['--rate', `${Math.round(load.rate / processes)}`]),
      ...(load.contentSize === undefined ? [] : ['--content-size', `${load.contentSize}`]),
      ...(load.echo === undefined ? [] : ['--echo', `${load.echo}`]),
      ...['--transport', load.transport ?? 'framed', '--protocol', load.protocol ?? 'binary'],
    ]
    return pinned(load.cpus ?? LOAD_CPU, { ...generator, args })
  })
  const before = cpuTime(server.pid)
  const threadsBefore = threadsOf(server.pid)
  const runs = await Promise.all(
    generators.map((command) => must(command, { timeout: load.seconds * 1000 + 60_000 }).then(resultOf)),
  )
  const cpu = cpuTime(server.pid) - before
  const replies = sum(runs.map((run) => run.replies))
  return {
    qps: sum(runs.map((run) => run.qps)),
    // Of several generators the slowest counts.
    p50: Math.max(...runs.map((run) => run.p50)),
    p99: Math.max(...runs.map((run) => run.p99)),
    p999: Math.max(...runs.map((run) => run.p999)),
    cpu: cpu / replies,
    replies,
    loadCpu: sum(runs.map((run) => run.cpuPerRequest * run.replies)) / replies,
    threads: difference(server.pid, threadsBefore, threadsOf(server.pid)),
  }
}

/**
 * @param {{ stdout: string }} run
 * @returns {{ qps: number, p50: number, p99: number, p999: number, replies: number, cpuPerRequest: number }}
 */
function resultOf({ stdout }) {
  const lines = stdout.trimEnd().split('\n')
  return JSON.parse(lines[lines.length - 1])
}

/** @param {readonly number[]} values */
const sum = (values) => values.reduce((total, value) => total + value, 0)

/**
 * Measures contestants in turns, so that what changes on the machine meanwhile changes all of them.
 * @template {string} Name
 * @template [Result=Measured]
 * @param {readonly Name[]} names
 * @param {number} rounds
 * @param {(name: Name, round: number) => Promise<Result>} measure
 * @returns {Promise<Record<Name, Result[]>>}
 */
export async function alternate(names, rounds, measure) {
  const results = /** @type {Record<Name, Result[]>} */ ({})
  for (const name of names) results[name] = []
  for (let round = 0; round < rounds; round++) {
    // Every other round the other way round: nobody is always first.
    const order = round % 2 === 0 ? names : [...names].reverse()
    for (const name of order) results[name].push(await measure(name, round))
  }
  return results
}
