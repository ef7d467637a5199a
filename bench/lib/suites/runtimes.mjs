/**
 * The runtimes against each other: what Tokio and Monoio on I/O threads cost and give beside the isolate's own loop, and why.
 *
 * Every round measures the runtimes in turn. CPU time a request is that of the whole process, by clock ticks (`/proc/PID/stat`, steps of 10 ms); that
 * of each thread is the kernel's account in nanoseconds (schedstat): the JavaScript thread is the first of the process, I/O threads go by their
 * names. `1 CPU`: the server on CPU 0, the load on CPU 1. `2 CPUs`: the server has two; on a machine of two the
 * load shares them with it, so throughput is then what is left of both.
 */
import { peer } from '../../../scripts/peers.mjs'
import { allowedCpus } from '../cpus.mjs'
import { LOAD_CPU, putLoad, SERVER_CPU } from '../load.mjs'
import { against, alone, atLeast, atMost, figure } from '../row.mjs'
import { rounds, RUNTIMES, startServer, THREADED } from '../runtimes.mjs'
import { spread } from '../statistics.mjs'
import { countCalls, whyNoCounts } from '../syscalls.mjs'

/** @typedef {import('../row.mjs').Row} Row */
/** @typedef {import('../load.mjs').Measured} Measured */
/** @typedef {import('../runtimes.mjs').Runtime} Runtime */
/** @typedef {import('./thrift.mjs').Settings} Settings */

/** What Monoio and Tokio are compared by: connections, and calls in flight on each; I/O threads of either. */
const PAIR_SHAPE = { connections: 256, depth: 1 }
const PAIR_THREADS = 2

/** Connections, and calls in flight on each. */
const SHAPES = [
  { connections: 64, depth: 1 },
  { connections: 256, depth: 1 },
  { connections: 16, depth: 16 },
]

/** CPU time of the JavaScript thread a request, at most; in µs. */
const MOST_JAVASCRIPT = 1

/** CPU time of all threads a request, against inline's. */
const MOST_IN_ALL = 1.8

/**
 * @typedef {object} Place
 * @property {string} title
 * @property {number | string} server CPUs of the server
 * @property {number | string} load CPUs of the load
 * @property {string} [remark]
 */

/** @type {Place} */
const ONE = { title: '1 CPU', server: SERVER_CPU, load: LOAD_CPU }

/** @returns {Place} */
function two() {
  const cpus = allowedCpus()
  const title = '2 CPUs'
  const server = cpus.slice(0, 2).join(',')
  if (cpus.length > 2) return { title, server, load: cpus.slice(2).join(',') }
  return { title, server, load: server, remark: 'load on the same 2 CPUs' }
}

/**
 * @param {{ connections: number, depth: number }} shape
 */
const shapeTitle = ({ connections, depth }) => `${connections} × ${depth}`

/**
 * @param {readonly Measured[]} measured
 * @param {(one: Measured) => number} value
 */
const each = (measured, value) => measured.map(value)

/** @param {number} cpu */
const micros = (cpu) => `${figure(cpu)} µs`

/**
 * What the threads of a runtime use, beside the rows of the JavaScript thread.
 * @param {readonly Measured[]} measured
 */
function shares(measured) {
  const [main, io, rest] = /** @type {const} */ (['main', 'io', 'rest']).map(
    (role) => spread(measured.map((one) => one.threads[role].cpu / one.replies)).median,
  )
  return `JavaScript ${micros(main)}, I/O ${micros(io)}, others ${micros(rest)}`
}

/**
 * The three in one place under one load.
 * @param {Place} place
 * @param {{ connections: number, depth: number }} shape
 * @param {Settings} settings
 */
async function three(place, shape, settings) {
  const generator = await peer('load')
  const load = { ...shape, seconds: settings.seconds, cpus: place.load }
  const contestants = { inline: contestant('inline'), tokio: contestant('tokio'), monoio: contestant('monoio') }
  return rounds(contestants, () => load, {
    cpus: place.server,
    rounds: settings.rounds,
    generator,
    progress: (text) => settings.progress(`${place.title}, ${text}`),
  })
}

/**
 * @param {Runtime} runtime
 * @param {number} [threads]
 */
const contestant = (runtime, threads = 1) => ({ runtime, threads })

/**
 * CPU time and throughput of the three.
 * @param {Settings} settings
 * @returns {Promise<Row[]>}
 */
async function cost(settings) {
  /** @type {Row[]} */
  const javascript = []
  /** @type {Row[]} */
  const inAll = []
  /** @type {Row[]} */
  const throughput = []
  for (const place of [ONE, two()]) {
    for (const shape of SHAPES) {
      const measured = await three(place, shape, settings)
      const { inline } = measured
      const where = `${shapeTitle(shape)}, ${place.title}`
      for (const runtime of THREADED) {
        const ours = measured[runtime]
        const main = each(ours, (one) => one.threads.main.cpu / one.replies)
        javascript.push(
          alone(`${runtime}: JavaScript thread a request, ${where}`, 'µs', main, atMost(MOST_JAVASCRIPT), place.remark),
        )
        const cpu = (/** @type {readonly Measured[]} */ rows) => each(rows, (one) => one.cpu)
        inAll.push(
          against(
            `${runtime}: CPU a request, ${where}`,
            'µs',
            cpu(ours),
            'inline',
            cpu(inline),
            atMost(MOST_IN_ALL),
            shares(ours),
          ),
        )
        const rate = (/** @type {readonly Measured[]} */ rows) => each(rows, (one) => one.qps)
        throughput.push(
          against(`${runtime}: requests, ${where}`, '/s', rate(ours), 'inline', rate(inline), undefined, place.remark),
        )
      }
    }
  }
  return [...javascript, ...inAll, ...throughput]
}

/**
 * Monoio against Tokio.
 * @param {Settings} settings
 * @returns {Promise<Row[]>}
 */
async function pair(settings) {
  const generator = await peer('load')
  const place = two()
  const load = { ...PAIR_SHAPE, seconds: settings.seconds, cpus: place.load }
  const { monoio, tokio } = await rounds(
    { tokio: contestant('tokio', PAIR_THREADS), monoio: contestant('monoio', PAIR_THREADS) },
    () => load,
    { cpus: place.server, rounds: settings.rounds, generator, progress: settings.progress },
  )
  const title = `monoio, ${PAIR_THREADS} threads each, ${shapeTitle(PAIR_SHAPE)}, 2 CPUs`
  const value = (/** @type {(one: Measured) => number} */ of) =>
    /** @type {const} */ ([each(monoio, of), 'tokio', each(tokio, of)])
  return [
    against(`${title}: requests`, '/s', ...value((one) => one.qps), atLeast(1), place.remark),
    against(`${title}: CPU a request`, 'µs', ...value((one) => one.cpu), undefined, shares(monoio)),
  ]
}

/**
 * What the kernel is asked for, which explains the rest: system calls and context switches a request.
 * @param {Settings} settings
 * @returns {Promise<Row[]>}
 */
async function kernel(settings) {
  const generator = await peer('load')
  const why = await whyNoCounts()
  /** @type {Row[]} */
  const rows = []
  for (const place of [ONE, two()]) {
    for (const shape of [SHAPES[0], SHAPES[2]]) {
      const where = `${shapeTitle(shape)}, ${place.title}`
      for (const runtime of RUNTIMES) {
        settings.progress(`${where}: what ${runtime} asks of the kernel`)
        rows.push(...(await asked(generator, contestant(runtime), place, shape, settings.seconds, where, why)))
      }
    }
  }
  // The pair, as it is compared.
  const where = `${PAIR_THREADS} threads, ${shapeTitle(PAIR_SHAPE)}, ${two().title}`
  for (const runtime of THREADED) {
    settings.progress(`${where}: what ${runtime} asks of the kernel`)
    const one = contestant(runtime, PAIR_THREADS)
    rows.push(...(await asked(generator, one, two(), PAIR_SHAPE, settings.seconds, where, why)))
  }
  return rows
}

/**
 * @param {import('../../../scripts/lib/process.mjs').Command} generator
 * @param {import('../runtimes.mjs').Contestant} one
 * @param {Place} place
 * @param {{ connections: number, depth: number }} shape
 * @param {number} seconds
 * @param {string} where
 * @param {string | undefined} why calls cannot be counted
 * @returns {Promise<Row[]>}
 */
async function asked(generator, one, place, shape, seconds, where, why) {
  const { runtime } = one
  const server = await startServer(one, place.server)
  try {
    const load = { ...shape, cpus: place.load }
    await putLoad(generator, server, { ...load, seconds: 1 })
    const { threads, replies } = await putLoad(generator, server, { ...load, seconds })
    const switches = ['main', 'io', 'rest'].map((role) => threads[/** @type {'main'} */ (role)])
    const total = switches.reduce((sum, { waits, preemptions }) => sum + waits + preemptions, 0)
    const detail = `waits: JavaScript ${perRequest(threads.main.waits / replies)}, I/O ${perRequest(threads.io.waits / replies)}`
    const rows = [alone(`${runtime}: context switches a request, ${where}`, '', [total / replies], undefined, detail)]
    if (why !== undefined) {
      rows[0].remark = `${detail}; system calls not counted: ${why}`
      return rows
    }
    // Counted apart: tracing costs time.
    const { result, counts } = await countCalls(server.pid, () => putLoad(generator, server, { ...load, seconds }))
    const requests = result.replies
    for (const [role, title] of /** @type {const} */ ([
      ['main', 'JavaScript thread'],
      ['io', 'I/O thread'],
    ])) {
      const { all = 0, ...named } = counts[role]
      if (all === 0) continue
      const most = Object.entries(named).sort(([, a], [, b]) => b - a)
      const remark = most.map(([name, count]) => `${name} ${perRequest(count / requests)}`).join(', ')
      rows.push(
        alone(`${runtime}: system calls a request, ${title}, ${where}`, '', [all / requests], undefined, remark),
      )
    }
    return rows
  } finally {
    await server.stop()
  }
}

/** @param {number} value */
const perRequest = (value) => value.toFixed(3)

/** Groups of rows, in the order they run. */
export const groups = { cost, pair, kernel }
