#!/usr/bin/env node
/**
 * item-grpc-client.mjs --port P [--inflight N] [--seconds S] [--warmup S]
 *
 * Closed loop of our gRPC client on one connection, every reply checked. Prints a line of JSON, as the peer's item-client does.
 */
import { createHistogram } from 'node:perf_hooks'
import process from 'node:process'
import { parseArgs } from 'node:util'

import { built } from '../../scripts/lib/built.mjs'

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    inflight: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '5' },
    warmup: { type: 'string', default: '0.5' },
  },
})
if (values.port === undefined) throw new Error('item-grpc-client.mjs needs --port')

const { Client } = await built('dist/bundle/index.js')
const { ItemService } = await built('examples/volo-gen/grpc/index.js')

const client = Client.of(ItemService, 'item').address(`127.0.0.1:${values.port}`).build()
// Connects, so that no time goes by there.
await client.getItem({ id: 1n })

const inflight = Number(values.inflight)
const latency = createHistogram()
const begin = performance.now() + Number(values.warmup) * 1000
const end = begin + Number(values.seconds) * 1000
let next = 0n

async function caller() {
  while (true) {
    const start = performance.now()
    if (start >= end) return
    const id = ++next
    const { item } = await client.getItem({ id })
    if (item?.id !== id || item.title !== 'Hello gRPC') throw new Error(`wrong reply to item ${id}`)
    if (start >= begin) latency.record(Math.max(1, Math.round((performance.now() - start) * 1e6)))
  }
}

await Promise.all(Array.from({ length: inflight }, caller))
const us = (/** @type {number} */ percentile) => latency.percentile(percentile) / 1000
const qps = latency.count / Number(values.seconds)
process.stdout.write(`${JSON.stringify({ inflight, qps, p50: us(50), p99: us(99), p999: us(99.9) })}\n`)
await Client.close(client)
