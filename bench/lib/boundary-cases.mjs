#!/usr/bin/env node
/**
 * boundary-cases.mjs [--seconds S]
 *
 * What it costs to go from JavaScript to Rust and back: one N-API call that does nothing, and whole calls in process, where client and server
 * share an isolate and no socket is used. Prints JSON: nanoseconds an operation of each case, a value a sample.
 */
import process from 'node:process'
import { parseArgs } from 'node:util'

import Benchmark from 'benchmark'

import { built } from '../../scripts/lib/built.mjs'

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '3' } } })
const { addon } = await built('dist/core/addon.js')
const { pair } = await built('dist/bundle/testing/index.js')
const { ItemService } = await built('examples/volo-gen/index.js')

const native = addon()
const { client, close } = await pair(ItemService, {
  /** @param {{ id: bigint }} request */
  getItem: ({ id }) => ({ item: { id, title: 'Hello Volo', content: 'This is a Volo example' } }),
})

/** @type {Record<string, number[]>} */
const results = {}
const suite = new Benchmark.Suite()
const options = { maxTime: Number(values.seconds) }

suite.add('an N-API call', () => native.layoutVersion(), options)
for (const inFlight of [1, 64]) {
  suite.add(`a call in process, ${inFlight} in flight`, {
    ...options,
    defer: true,
    /** @param {{ resolve(): void }} deferred */
    fn(deferred) {
      const calls = Array.from({ length: inFlight }, (_, i) => client.getItem({ id: BigInt(i) }))
      void Promise.all(calls).then(() => deferred.resolve())
    },
  })
}
suite.on('cycle', (/** @type {{ target: Benchmark }} */ { target }) => {
  const each = Number(/(\d+) in flight/.exec(target.name ?? '')?.[1] ?? 1)
  results[target.name ?? ''] = target.stats.sample.map((seconds) => (seconds * 1e9) / each)
})
await new Promise((resolve, reject) => {
  suite.on('complete', resolve)
  suite.on('error', (/** @type {{ target: { error: unknown } }} */ { target }) => reject(target.error))
  suite.run({ async: true })
})
await close()
process.stdout.write(`${JSON.stringify(results)}\n`)
