#!/usr/bin/env node
/**
 * npm run soak -- [--minutes N] [--runtime inline|tokio|monoio] [--threads N] [--seed N] [--out DIR]
 *
 * Everything at once for a long time: servers and clients in processes of their own, Thrift and gRPC, with TLS and without, calls and streams of every
 * kind, calls given up, late or reset, isolates that are replaced without a failed call, clients that come and go, peers that are slow, gone or no peers at all. Prints a line every ten seconds and, at the end, slopes and whether every call is accounted
 * for; writes `soak-RUNTIME.json` and a picture of the memory. The exit code is 1 if a call is missing, an answer was wrong, a process died, or
 * memory grew by more than 1 MiB a minute, which needs ten minutes to be judged.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as wait } from 'node:timers/promises'

import { describeMachine } from '../bench/lib/machine.mjs'
import { parseCommandLine } from './lib/command-line.mjs'
import { root } from './lib/paths.mjs'
import { Failure, runMain, ServerProcess } from './lib/process.mjs'
import { setupWithLines } from './lib/setup.mjs'
import { bold, count, dim, green, red, table } from './lib/terminal.mjs'
import { lineChart } from './soak/chart.mjs'
import { slope } from './soak/slope.mjs'

/** @typedef {import('./soak/usage.mjs').Usage} Usage */
/** @typedef {{ minutes: number, server: Usage, clients: Usage, isolates: Usage }} Sample */
/** @typedef {import('./soak/accounts.mjs').Accounts['counts']} Counts */
/** By who makes the calls. @typedef {Record<'thrift' | 'grpc' | 'reload', Counts>} CountsOfAll */

const MIB = 2 ** 20

/** Most growth of resident memory, MiB a minute, and how many minutes it takes to judge it. */
const RSS_BOUND = 1
const JUDGED_FROM = 10

const usage = `npm run soak -- [--minutes N] [--runtime inline|tokio|monoio] [--threads N] [--seed N] [--out DIR]

Everything at once for a long time; a line every ten seconds, and at the end slopes and whether every call is accounted for.
--minutes  default 30; growth of memory is judged from ${JUDGED_FROM} on
--runtime  default inline, or what VOLO_RUNTIME says
--seed     what is done at random; it is printed, so that a run can be done again
--out      where the results go; default bench/results`

const { values } = parseCommandLine(usage, {
  options: {
    minutes: { type: 'string', default: '30' },
    runtime: { type: 'string', default: process.env.VOLO_RUNTIME ?? 'inline' },
    threads: { type: 'string' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    out: { type: 'string', default: join(root, 'bench', 'results') },
  },
})

/** @type {ServerProcess[]} */
const started = []

/**
 * A process of the run; it dies with this one.
 * @param {string} name
 * @param {readonly string[]} args
 */
async function start(name, args) {
  /** @type {Record<string, string>} */
  const env = { VOLO_RUNTIME: values.runtime }
  if (values.threads !== undefined) env.VOLO_THREADS = values.threads
  const command = {
    command: process.execPath,
    args: ['--expose-gc', join(root, 'scripts', 'soak', `${name}.mjs`), ...args],
    env,
  }
  const child = await ServerProcess.start(command, { ipc: true, timeout: 60_000 })
  started.push(child)
  process.once('exit', () => {
    try {
      process.kill(child.pid, 'SIGKILL')
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ESRCH') throw error
    }
  })
  return child
}

/**
 * @param {readonly Sample[]} samples
 * @param {'server' | 'clients' | 'isolates'} side
 */
function slopes(samples, side) {
  const of = (/** @type {keyof Usage} */ key, unit = 1) =>
    slope(samples.map((sample) => ({ x: sample.minutes, y: sample[side][key] / unit })))
  return {
    rss: of('rss', MIB),
    heap: of('heap', MIB),
    external: of('external', MIB),
    descriptors: of('descriptors'),
    threads: of('threads'),
  }
}

/**
 * Asks for samples until the time is over.
 * @param {ServerProcess} server
 * @param {ServerProcess} load
 * @param {ServerProcess} peers
 * @param {ServerProcess} isolates
 * @param {number} minutes
 */
async function observe(server, load, peers, isolates, minutes) {
  /** @type {Sample[]} */
  const samples = []
  const began = performance.now()
  const every = Math.max(1000, Math.min(10_000, (minutes * 60_000) / 20))
  let before = 0
  let last = began
  for (;;) {
    await Promise.race([
      wait(every),
      ...Object.entries({ server, clients: load, peers, isolates }).map(([name, child]) => died(child, name)),
    ])
    const now = performance.now()
    const sample = {
      minutes: (now - began) / 60_000,
      server: /** @type {Usage} */ (await server.ask('usage', 30_000)),
      clients: /** @type {Usage} */ (await load.ask('usage', 30_000)),
      isolates: /** @type {Usage} */ (await isolates.ask('usage', 30_000)),
    }
    samples.push(sample)
    const counts = sum(/** @type {CountsOfAll} */ (await load.ask('counts', 30_000)))
    const perSecond = ((counts.made - before) / (now - last)) * 1000
    process.stdout.write(
      `${sample.minutes.toFixed(1).padStart(5)} min  ${count(perSecond).padStart(8)} calls/s  ` +
        `server ${describe(sample.server)}  clients ${describe(sample.clients)}  ` +
        `failed ${count(counts.failed)}, expired ${count(counts.expired)}, cancelled ${count(counts.cancelled)}\n`,
    )
    if (counts.wrong > 0) return samples
    before = counts.made
    last = now
    if (sample.minutes >= minutes) return samples
  }
}

/** @param {CountsOfAll} counts */
function sum(counts) {
  const names = /** @type {(keyof Counts)[]} */ (Object.keys(counts.thrift))
  const all = Object.values(counts)
  return /** @type {Counts} */ (
    Object.fromEntries(names.map((name) => [name, all.reduce((total, some) => total + some[name], 0)]))
  )
}

/**
 * Calls of which it is not known what became of them.
 * @param {Counts} counts
 */
const unaccounted = ({ made, answered, failed, expired, cancelled, wrong }) =>
  made - answered - failed - expired - cancelled - wrong

/** @param {Usage} usage */
function describe({ rss, heap, descriptors, threads }) {
  return `${(rss / MIB).toFixed(0)} MiB (heap ${(heap / MIB).toFixed(0)}), ${descriptors} fds, ${threads} threads`
}

/**
 * @param {ServerProcess} child
 * @param {string} name
 * @returns {Promise<never>}
 */
async function died(child, name) {
  const code = await child.exited
  throw new Failure(`The ${name} process ended with ${code} in the middle of the run.`, { output: child.output })
}

/**
 * The exit code of a process that has nothing left to do; one that stays all the same is killed.
 * @param {ServerProcess} child
 */
async function ended(child) {
  const timer = setTimeout(() => process.kill(child.pid, 'SIGKILL'), 10_000)
  const code = await child.exited
  clearTimeout(timer)
  return code
}

/**
 * Asks again and again until it is so; the last answer.
 * @param {ServerProcess} server
 * @param {(stats: Record<string, number>) => boolean} is
 */
async function statsOnce(server, is) {
  for (let tries = 0; ; tries += 1) {
    const stats = /** @type {Record<string, number>} */ (await server.ask('stats'))
    if (is(stats) || tries === 100) return stats
    await wait(100)
  }
}

await runMain(async () => {
  const minutes = Number(values.minutes)
  if (!(minutes > 0)) throw new Failure(`--minutes takes a number above 0, not ${values.minutes}.`, { exitCode: 2 })
  await setupWithLines('fast')
  process.stdout.write(dim(`seed ${values.seed}\n`))

  const server = await start('server', [])
  const idle = /** @type {Usage} */ (await server.ask('usage', 30_000))
  const addresses = /** @type {string[]} */ (await server.ask('addresses', 30_000))
  const isolates = await start('isolates', [values.seed])
  const load = await start('load', [...addresses, isolates.address, values.seed])
  const peers = await start('peers', [server.address, values.seed])
  const samples = await observe(server, load, peers, isolates, minutes)

  await peers.ask('finish', 30_000)
  const {
    counts: countsOfAll,
    wrongs,
    stats: clientStats,
  } = /** @type {{ counts: CountsOfAll, wrongs: string[], stats: Record<string, number>[] }} */ (
    await load.ask('finish', 60_000)
  )
  const counts = sum(countsOfAll)
  const stats = await statsOnce(server, ({ inFlight, connections }) => inFlight === 0 && connections === 0)
  const left = /** @type {Usage} */ (await server.ask('usage', 30_000))
  const { reloads } = /** @type {{ reloads: number }} */ (await isolates.ask('stats', 30_000))
  await Promise.all([server.ask('close', 30_000), isolates.ask('close', 60_000)])
  const codes = await Promise.all([server, load, peers, isolates].map(ended))

  const warm = Math.max(samples.length >= 10 ? 2 : 0, Math.floor(samples.length / 5))
  const judged = samples.slice(warm)
  const growth = {
    server: slopes(judged, 'server'),
    clients: slopes(judged, 'clients'),
    isolates: slopes(judged, 'isolates'),
  }
  const coreUnaccounted = clientStats.reduce(
    (sum, { calls, answered, failed, cancelled }) => sum + calls - answered - failed - cancelled,
    0,
  )
  const serverUnaccounted =
    stats.calls - stats.replies - stats.exceptions - stats.abandoned - stats.inFlight - stats.oneway
  const isLong = minutes >= JUDGED_FROM

  /** @type {readonly [what: string, value: string, ok: boolean | undefined][]} */
  const rows = [
    ['calls of Thrift', count(countsOfAll.thrift.made), countsOfAll.thrift.made > 0],
    ['calls of gRPC', count(countsOfAll.grpc.made), countsOfAll.grpc.made > 0],
    [
      `calls of isolates that were replaced ${count(reloads)} times`,
      count(countsOfAll.reload.made),
      countsOfAll.reload.made > 0,
    ],
    ['answers that were wrong', count(counts.wrong), counts.wrong === 0],
    ...Object.entries(countsOfAll).map(([protocol, some]) => {
      const missing = unaccounted(some)
      return /** @type {[string, string, boolean]} */ ([
        `calls unaccounted for, by callers of ${protocol}`,
        count(missing),
        missing === 0,
      ])
    }),
    ["calls unaccounted for, by the clients' counters", count(coreUnaccounted), coreUnaccounted === 0],
    ["calls unaccounted for, by the server's counters", count(serverUnaccounted), serverUnaccounted === 0],
    ['calls in flight at the end', count(stats.inFlight), stats.inFlight === 0],
    ['connections at the end', count(stats.connections), stats.connections === 0],
    [
      'descriptors of the server, before and after',
      `${idle.descriptors}, ${left.descriptors}`,
      left.descriptors <= idle.descriptors,
    ],
    ['threads of the server, before and after', `${idle.threads}, ${left.threads}`, left.threads <= idle.threads],
    ['exit codes', codes.join(', '), codes.every((code) => code === 0)],
    ...['server', 'clients', 'isolates'].flatMap((side) => {
      const { rss, heap, external, descriptors, threads } = growth[/** @type {keyof typeof growth} */ (side)]
      // Threads that come and go leave their arenas to the allocator: the isolates' memory is shown, not judged.
      const bounded = isLong && side !== 'isolates' ? rss <= RSS_BOUND : undefined
      return /** @type {[string, string, boolean | undefined][]} */ ([
        [`${side}: resident memory`, `${rss.toFixed(3)} MiB/min`, bounded],
        [`${side}: heap`, `${heap.toFixed(3)} MiB/min`, undefined],
        [`${side}: memory of buffers`, `${external.toFixed(3)} MiB/min`, undefined],
        [`${side}: descriptors`, `${descriptors.toFixed(3)} /min`, undefined],
        [`${side}: threads`, `${threads.toFixed(3)} /min`, undefined],
      ])
    }),
  ]
  const ok = rows.every(([, , good]) => good !== false)

  mkdirSync(values.out, { recursive: true })
  const file = join(values.out, `soak-${values.runtime}`)
  const result = {
    suite: 'soak',
    machine: describeMachine(),
    settings: { minutes, runtime: stats.runtime, seed: Number(values.seed) },
    ok,
    counts: countsOfAll,
    reloads,
    unaccounted: { callers: unaccounted(counts), clients: coreUnaccounted, server: serverUnaccounted },
    server: stats,
    slopes: growth,
    warmUp: samples[warm]?.minutes ?? 0,
    samples,
  }
  writeFileSync(`${file}.json`, `${JSON.stringify(result, undefined, 1)}\n`)
  const line = (/** @type {keyof typeof growth} */ side, /** @type {string} */ colour) => ({
    name: `${side}, ${growth[side].rss.toFixed(2)} MiB/min`,
    colour,
    points: samples.map((sample) => ({ x: sample.minutes, y: sample[side].rss / MIB })),
  })
  const axes = { x: 'minutes', y: 'MiB', mark: { x: result.warmUp, text: 'slopes from here' } }
  writeFileSync(
    `${file}.svg`,
    lineChart(`volo-js: resident memory under everything at once, ${values.runtime}`, axes, [
      line('server', '#2a9d6f'),
      line('clients', '#3a6ea5'),
      line('isolates', '#b5651d'),
    ]),
  )

  for (const text of wrongs) process.stdout.write(`${red('wrong')} ${text}\n`)
  const mark = { true: green('✔'), false: red('✘'), undefined: ' ' }
  process.stdout.write(
    `\n${table(rows.map(([what, value, good]) => [`${mark[`${good ?? 'undefined'}`]} ${what}`, value]))}\n`,
  )
  const verdict = ok ? 'nothing lost' : 'a bound is broken'
  process.stdout.write(
    `\n${dim(`${file}.json, .svg`)}\n${bold(`${count(counts.made)} calls in ${minutes} min: ${verdict}`)}\n`,
  )
  if (!ok) process.exitCode = 1
})

// After a failure the others still run, and would keep this process alive.
await Promise.all(started.map((child) => child.stop(0)))
