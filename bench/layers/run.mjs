#!/usr/bin/env node
/**
 * run.mjs [--json] [--rounds N] [--seconds S] [--chain-only]
 *
 * What layers cost. First in the chain alone, in nanoseconds a call: no layer, five synchronous ones, one asynchronous one, a timeout. Then
 * where it counts: requests a second and CPU time of a server over TCP, with five synchronous layers and without, in turns.
 */
import process from 'node:process'
import { parseArgs } from 'node:util'

import Benchmark from 'benchmark'

import { peer } from '../../scripts/peers.mjs'
import { built } from '../../scripts/lib/built.mjs'
import { pinned, ServerProcess } from '../../scripts/lib/process.mjs'
import { alternate, putLoad, SERVER_CPU } from '../lib/load.mjs'
import { printTable } from '../lib/report.mjs'
import { against, alone, atLeast, atMost } from '../lib/row.mjs'
import { spread } from '../lib/statistics.mjs'
import { counter, countingLayer, waitingLayer } from './layers.mjs'

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    'chain-only': { type: 'boolean', default: false },
  },
})

const rows = [...(await chainRows()), ...(values['chain-only'] ? [] : await serverRows())]
if (values.json) process.stdout.write(`${JSON.stringify({ rows })}\n`)
else printTable(rows)

/** Nanoseconds a call of chains without a server. */
async function chainRows() {
  const { timeout } = await built('dist/index.js')
  const { compose } = await built('dist/core/compose.js')
  const { CallContext } = await built('dist/core/call-context.js')
  const { systemClock } = await built('dist/core/clock.js')

  const origin = {
    side: 'server',
    caller: { service: '', address: undefined },
    callee: { service: 'ItemService', address: '127.0.0.1:8080' },
    clock: systemClock,
    peerOf: () => '',
  }
  const method = {
    service: 'ItemService',
    name: 'getItem',
    wireName: 'GetItem',
    kind: 'unary',
    idempotent: false,
    annotations: {},
  }
  const request = { id: 1024n }
  const handler = { call: (/** @type {unknown} */ _cx, /** @type {{ id: bigint }} */ { id }) => ({ item: { id } }) }
  const five = Array.from({ length: 5 }, (_, i) => countingLayer(i))
  /** @type {Record<string, { call(cx: unknown, req: unknown): unknown }>} */
  const chains = {
    none: compose([], handler).service,
    five: compose(five, handler).service,
    async: compose([waitingLayer()], handler).service,
    timeout: compose([timeout('3s')], handler).service,
  }
  /** @type {Record<string, number[]>} */
  const samples = {}
  const suite = new Benchmark.Suite()
  const options = { maxTime: Number(values.seconds) }
  for (const name of ['none', 'five', 'timeout']) {
    const service = chains[name]
    suite.add(
      name,
      () => {
        // Kept where the compiler cannot do without it.
        counter.last = service.call(new CallContext(origin, method, handler, 1, 1), request)
      },
      options,
    )
  }
  suite.on('cycle', (/** @type {{ target: Benchmark }} */ { target }) => {
    samples[target.name ?? ''] = target.stats.sample.map((seconds) => seconds * 1e9)
  })
  suite.on('error', (/** @type {{ target: { error: unknown } }} */ { target }) => {
    throw target.error
  })
  suite.run()
  for (const name of ['none', 'async']) {
    samples[`${name} awaited`] = await awaited(() =>
      chains[name].call(new CallContext(origin, method, handler, 1, 1), request),
    )
  }
  if (counter.calls === 0) throw new Error('the layers were left out')

  /** What a case takes beyond another one's median. */
  const beyond = (/** @type {string} */ name, /** @type {string} */ base) => {
    const { median } = spread(samples[base])
    return samples[name].map((ns) => ns - median)
  }
  return [
    alone('context and handler, no layer', 'ns', samples.none),
    alone('five synchronous layers add', 'ns', beyond('five', 'none')),
    alone('timeout() over a synchronous handler adds', 'ns', beyond('timeout', 'none')),
    alone('one asynchronous layer adds', 'ns', beyond('async awaited', 'none awaited'), atMost(300)),
  ]
}

/**
 * Nanoseconds a call, with the wait for its promise if it gives one; calls go in batches, as requests arrive.
 * @param {() => unknown} call
 */
async function awaited(call) {
  const batch = 64
  /** @type {number[]} */
  const times = []
  const end = performance.now() + Number(values.seconds) * 1000
  while (performance.now() < end) {
    const before = performance.now()
    for (let round = 0; round < 500; round++) {
      for (let i = 0; i < batch; i++) counter.last = call()
      // Promises settle in the order they were made, so the last one stands for all.
      await counter.last
    }
    times.push(((performance.now() - before) * 1e6) / (500 * batch))
  }
  // The first ones are those of the interpreter.
  return times.slice(Math.min(5, times.length >> 1))
}

/** A server behind five layers against the same without. */
async function serverRows() {
  const generator = await peer('load')
  const load = { connections: 64, depth: 1, seconds: Number(values.seconds) }
  /** @type {Record<'layers' | 'none', ServerProcess>} */
  const servers = { layers: await start(5), none: await start(0) }
  try {
    // What is measured first would pay for compiling.
    for (const server of Object.values(servers)) await putLoad(generator, server, { ...load, seconds: 2 })
    const names = /** @type {const} */ (['layers', 'none'])
    const { layers, none } = await alternate([...names], Number(values.rounds), (name) =>
      putLoad(generator, servers[name], load),
    )
    const qps = (/** @type {import('../lib/load.mjs').Measured[]} */ all) => all.map((one) => one.qps)
    const cpu = (/** @type {import('../lib/load.mjs').Measured[]} */ all) => all.map((one) => one.cpu)
    return [
      against('five synchronous layers, 64 × 1', 'requests/s', qps(layers), 'no layer', qps(none), atLeast(0.97)),
      against('five synchronous layers, CPU', 'µs a request', cpu(layers), 'no layer', cpu(none), atMost(1.03)),
    ]
  } finally {
    for (const server of Object.values(servers)) await server.stop()
  }
}

/** @param {number} layers */
function start(layers) {
  const program = new URL('server.mjs', import.meta.url).pathname
  return ServerProcess.start(
    pinned(SERVER_CPU, { command: process.execPath, args: [program, '--layers', `${layers}`] }),
  )
}
