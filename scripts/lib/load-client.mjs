#!/usr/bin/env node
/**
 * load-client.mjs --address HOST:PORT [--connections N] [--seconds S] [--pipelined IN_FLIGHT | --multiplexed IN_FLIGHT]
 *
 * Closed-loop load from a volo-js client in TypeScript: as many calls of GetItem in flight as there are connections, or IN_FLIGHT calls on one
 * pipelined or multiplexed connection. Every reply is checked. Prints a line of JSON a second, and one with the result at the end.
 */
import process from 'node:process'
import { createHistogram } from 'node:perf_hooks'
import { parseArgs } from 'node:util'

import { built } from './built.mjs'

const { values } = parseArgs({
  options: {
    address: { type: 'string' },
    connections: { type: 'string', default: '64' },
    seconds: { type: 'string', default: '5' },
    pipelined: { type: 'string' },
    multiplexed: { type: 'string' },
  },
})
if (values.address === undefined) throw new Error('load-client.mjs needs --address HOST:PORT')

const { Client } = await built('dist/bundle/thrift/index.js')
const { ItemService } = await built('examples/volo-gen/index.js')

const inFlight = Number(values.multiplexed ?? values.pipelined ?? values.connections)
const builder = Client.of(ItemService, 'item').address(values.address)
if (values.multiplexed !== undefined) builder.multiplexed({ connections: 1 })
else if (values.pipelined !== undefined) builder.pipelined()
else builder.pool({ size: inFlight })
const client = builder.build()

const histogram = createHistogram()
let calls = 0
let wrong = 0
let measuring = false
const seconds = Number(values.seconds)
const start = performance.now()
const end = start + seconds * 1000

/** @param {number} first */
async function caller(first) {
  for (let id = first; performance.now() < end; id += inFlight) {
    const before = performance.now()
    const wanted = BigInt(id)
    const { item } = await client.getItem({ id: wanted })
    if (item.id !== wanted || item.title !== 'Hello Volo') wrong++
    if (!measuring) continue
    calls++
    histogram.record(Math.max(1, Math.round((performance.now() - before) * 1000)))
  }
}

/** The first tenth, at most a second, warms the compiler up. */
const warmUp = Math.min(1, seconds / 10) * 1000
let measured = start
setTimeout(() => {
  measuring = true
  measured = performance.now()
  print({ event: 'measuring' })
}, warmUp)

const ticker = setInterval(() => {
  print({ event: 'progress', seconds: (performance.now() - start) / 1000, rate: rate() })
}, 1000)

function rate() {
  return measuring ? (calls * 1000) / (performance.now() - measured) : 0
}

/** @param {object} line */
function print(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

await Promise.all(Array.from({ length: inFlight }, (_, i) => caller(i + 1)))
clearInterval(ticker)
print({
  event: 'result',
  calls,
  wrong,
  rate: rate(),
  p50: histogram.percentile(50),
  p99: histogram.percentile(99),
  p999: histogram.percentile(99.9),
})
await Client.close(client)
process.exitCode = wrong > 0 ? 1 : 0
