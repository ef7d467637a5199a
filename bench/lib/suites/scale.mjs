/**
 * Two isolates against one, and servers that are replaced under load. Isolates share a port, each serves on a thread of its own (`runIsolates`).
 *
 * Where there are four CPUs, load comes from CPUs of its own and the figure is plain throughput: two isolates against one that has both their CPUs too.
 *
 * Where there are fewer, load and servers share them, and throughput says how much the load leaves. Then the figure is capacity: the requests that a
 * server answers in a second of its own CPU time, times its isolates, for each of them can have a CPU. What isolates cost each other (locks, the
 * kernel's queues, caches) shows in their CPU time a request. Every isolate gets the same load: twice as much for two.
 */
import { peer } from '../../../scripts/peers.mjs'
import { allowedCpus } from '../cpus.mjs'
import { hotRestart } from '../hot-restart.mjs'
import { LOAD_CPU, SERVER_CPU } from '../load.mjs'
import { against, alone, atLeast, atMost, figure } from '../row.mjs'
import { rounds, RUNTIMES } from '../runtimes.mjs'
import { spread } from '../statistics.mjs'

/** @typedef {import('../row.mjs').Row} Row */
/** @typedef {import('../load.mjs').Measured} Measured */
/** @typedef {import('./thrift.mjs').Settings} Settings */

const TARGET = 1.8

/** Connections an isolate. */
const CONNECTIONS = 64

/** Calls a second an isolate in the open loop: two isolates and their load do not fill two CPUs with it. */
const RATE = 50_000

/** One isolate is one of `runIsolates` too, so that both differ in their number alone. */
const CONTESTANTS = /** @type {const} */ ({
  one: { runtime: 'inline', isolates: 1 },
  two: { runtime: 'inline', isolates: 2 },
})

/**
 * @param {(isolates: number) => Omit<import('../load.mjs').Load, 'seconds'>} load
 * @param {number | string} cpus
 * @param {Settings} settings
 */
async function oneAndTwo(load, cpus, settings) {
  const generator = await peer('load')
  return rounds(CONTESTANTS, ({ isolates = 1 }) => ({ ...load(isolates), seconds: settings.seconds }), {
    cpus,
    rounds: settings.rounds,
    generator,
    progress: settings.progress,
  })
}

/**
 * Requests a second if every isolate had a CPU.
 * @param {readonly Measured[]} measured
 * @param {number} isolates
 */
const capacity = (measured, isolates) => measured.map(({ cpu }) => (isolates * 1e6) / cpu)

/** @param {readonly Measured[]} measured */
const rate = (measured) => measured.map(({ qps }) => qps)

/** @param {readonly number[]} values */
const median = (values) => figure(spread(values).median)

/**
 * @param {{ one: Measured[], two: Measured[] }} measured
 */
function cpuRemark({ one, two }) {
  const cpu = (/** @type {readonly Measured[]} */ of) => median(of.map((round) => round.cpu))
  return `CPU a request ${cpu(two)} µs against ${cpu(one)} µs`
}

/**
 * Two isolates against one, load on CPUs of its own.
 * @param {readonly number[]} cpus
 * @param {Settings} settings
 * @returns {Promise<Row[]>}
 */
async function elsewhere(cpus, settings) {
  const [first, second, ...load] = cpus
  const from = (/** @type {number} */ isolates) => ({
    connections: CONNECTIONS * isolates,
    depth: 1,
    cpus: load.join(','),
    processes: isolates,
  })
  const measured = await oneAndTwo(from, `${first},${second}`, settings)
  return [
    against(
      'two isolates: requests, 64 × 1 each',
      '/s',
      rate(measured.two),
      'one isolate',
      rate(measured.one),
      atLeast(TARGET),
      `load on CPUs of its own; ${cpuRemark(measured)}`,
    ),
  ]
}

/**
 * Two isolates against one where load and servers share the CPUs.
 * @param {readonly number[]} cpus
 * @param {Settings} settings
 * @returns {Promise<Row[]>}
 */
async function subtracted(cpus, settings) {
  const list = cpus.join(',')
  const open = await oneAndTwo(
    (isolates) => ({
      connections: CONNECTIONS * isolates,
      depth: 4,
      rate: RATE * isolates,
      cpus: list,
      processes: isolates,
    }),
    list,
    settings,
  )
  const closed = await oneAndTwo(
    (isolates) => ({ connections: CONNECTIONS * isolates, depth: 1, cpus: list, processes: isolates }),
    list,
    settings,
  )
  const row = (/** @type {string} */ name, /** @type {{ one: Measured[], two: Measured[] }} */ measured) =>
    against(
      `two isolates: capacity, ${name}`,
      '/s',
      capacity(measured.two, 2),
      'one isolate',
      capacity(measured.one, 1),
      atLeast(TARGET),
      `isolates / CPU time a request, for load shares the CPUs; ${cpuRemark(measured)}`,
    )
  const loadCpu = median(closed.two.map((round) => round.loadCpu))
  return [
    row(`${RATE.toLocaleString('en-US')}/s each`, open),
    row('64 × 1 each', closed),
    against(
      'two isolates: requests, 64 × 1 each',
      '/s',
      rate(closed.two),
      'one isolate',
      rate(closed.one),
      undefined,
      `what the load leaves of ${cpus.length} CPUs: it takes ${loadCpu} µs a request itself`,
    ),
  ]
}

/**
 * @param {Settings} settings
 * @returns {Promise<Row[]>}
 */
async function isolates(settings) {
  const cpus = allowedCpus()
  if (cpus.length >= 4) return elsewhere(cpus, settings)
  if (cpus.length >= 2) return subtracted(cpus, settings)
  return [alone('two isolates', '', [0], undefined, 'not measured: there is one CPU')]
}

/**
 * A server that is replaced under load.
 * @param {Settings} settings
 * @returns {Promise<Row[]>}
 */
async function restart(settings) {
  const generator = await peer('load')
  /** @type {Row[]} */
  const rows = []
  for (const runtime of RUNTIMES) {
    settings.progress(`hot restart under 64 × 1, ${runtime}`)
    const { failed, replies, restarts, slowest } = await hotRestart(generator, {
      runtime,
      connections: 64,
      // At least a few restarts, whatever a round is.
      seconds: Math.max(5, settings.rounds * settings.seconds),
      serverCpus: SERVER_CPU,
      loadCpus: LOAD_CPU,
    })
    const remark = `${restarts} restarts, ${replies.toLocaleString('en-US')} calls, the slowest ${figure(slowest / 1000)} ms`
    rows.push(alone(`${runtime}: calls failed in hot restarts under 64 × 1`, '', [failed], atMost(0), remark))
  }
  return rows
}

/** Groups of rows, in the order they run. */
export const groups = { isolates, restart }
