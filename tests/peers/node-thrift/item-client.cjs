'use strict'
// Closed loop of npm's thrift client: keeps `--inflight` calls in flight on one connection and checks each reply.

const { createHistogram } = require('node:perf_hooks')
const { HOST, load, options } = require('./options.cjs')

const given = options({ inflight: 'string', seconds: 'string', warmup: 'string', json: 'boolean' })
const { generated, thrift, wire } = load(given)
const ItemService = generated('ItemService')
const { GetItemRequest } = generated('item_types')

const inflight = given.number('inflight', 1)
const seconds = given.number('seconds', 5)
const warmup = given.number('warmup', 0)

const connection = thrift.createConnection(HOST, given.port, wire)
const client = thrift.createClient(ItemService, connection)
const latency = createHistogram()
let from = process.hrtime.bigint() + BigInt(Math.round(warmup * 1e9))
const until = from + BigInt(Math.round(seconds * 1e9))
let next = 0
let measuring = warmup === 0

connection.on('error', (error) => {
  console.error(`item-client: ${error.message}`)
  process.exit(1)
})

async function one() {
  for (;;) {
    const start = process.hrtime.bigint()
    if (!measuring && start >= from) {
      measuring = true
      from = start
      latency.reset()
    }
    if (start >= until) return
    const id = next++
    const { item } = await client.GetItem(new GetItemRequest({ id }))
    if (Number(item.id) !== id || item.title !== 'Hello Volo') throw new Error(`wrong reply to item ${id}`)
    latency.record(process.hrtime.bigint() - start)
  }
}

Promise.all(Array.from({ length: inflight }, one)).then(
  () => {
    const us = (nanoseconds) => Math.round(nanoseconds / 100) / 10
    const elapsed = Number(process.hrtime.bigint() - from) / 1e9
    const result = {
      inflight,
      qps: Math.round(latency.count / elapsed),
      p50: us(latency.percentile(50)),
      p99: us(latency.percentile(99)),
      p999: us(latency.percentile(99.9)),
      max: us(latency.max),
    }
    console.log(
      given.json
        ? JSON.stringify(result)
        : `inflight=${inflight} qps=${result.qps} p50=${result.p50}us p99=${result.p99}us p99.9=${result.p999}us max=${result.max}us`,
    )
    connection.end()
  },
  (error) => {
    console.error(`item-client: ${error.message ?? error}`)
    process.exit(1)
  },
)
