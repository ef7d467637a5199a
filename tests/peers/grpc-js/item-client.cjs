'use strict'
// Closed loop of grpc-js's client: keeps `--inflight` calls in flight on one connection and checks each reply.

const { createHistogram } = require('node:perf_hooks')
const { HOST, load, options } = require('./options.cjs')

const given = options({ inflight: 'string', seconds: 'string', warmup: 'string' })
const { grpc, packages } = load(given)

const inflight = given.number('inflight', 1)
const seconds = given.number('seconds', 5)
const warmup = given.number('warmup', 0)

const client = new packages.volo.example.ItemService(`${HOST}:${given.port}`, grpc.credentials.createInsecure())
const latency = createHistogram()
let from = process.hrtime.bigint() + BigInt(Math.round(warmup * 1e9))
const until = from + BigInt(Math.round(seconds * 1e9))
let next = 1
let measuring = warmup === 0
let running = inflight

function one() {
  const start = process.hrtime.bigint()
  if (!measuring && start >= from) {
    measuring = true
    from = start
    latency.reset()
  }
  if (start >= until) {
    if (--running === 0) finish()
    return
  }
  const id = next++
  client.getItem({ id }, (error, response) => {
    if (error) return fail(error.message)
    if (response.item.id !== id || response.item.title !== 'Hello gRPC') return fail(`wrong reply to item ${id}`)
    latency.record(process.hrtime.bigint() - start)
    one()
  })
}

function fail(message) {
  console.error(`item-client: ${message}`)
  process.exit(1)
}

function finish() {
  const us = (nanoseconds) => Math.round(nanoseconds / 100) / 10
  const elapsed = Number(process.hrtime.bigint() - from) / 1e9
  console.log(
    JSON.stringify({
      inflight,
      qps: Math.round(latency.count / elapsed),
      p50: us(latency.percentile(50)),
      p99: us(latency.percentile(99)),
      p999: us(latency.percentile(99.9)),
    }),
  )
  client.close()
}

for (let n = 0; n < inflight; n++) one()
