/**
 * The clients of a soak run: `load.mjs ADDRESS TLS-ADDRESS ISOLATES SEED`. Questions: `usage`, `counts`, `finish`, which stops, waits for what is in flight,
 * and tells the counts.
 */
import process from 'node:process'
import { setTimeout as wait } from 'node:timers/promises'

import { built } from '../lib/built.mjs'
import * as grpc from './grpc-calls.mjs'
import { random } from './random.mjs'
import * as reload from './reload-calls.mjs'
import * as thrift from './thrift-calls.mjs'
import { answering, usage } from './usage.mjs'

const { Client } = await built('dist/bundle/index.js')

const callers = { thrift, grpc, reload }
const kept = Object.values(callers).flatMap((some) => some.kept)
const accounts = Object.entries(callers).map(([name, some]) => /** @type {const} */ ([name, some.accounts]))
let over = false

const steps = Object.values(callers).flatMap((some) => some.steps)
const lanes = steps.flatMap(([count, step]) =>
  Array.from({ length: count }, async () => {
    while (!over) {
      await step()
      // So that no lane keeps the others from their turn.
      if (random.below(50) < 1) await wait(1)
    }
  }),
)

const counts = () => Object.fromEntries(accounts.map(([name, { counts: some }]) => [name, some]))

answering({
  usage,
  counts,
  finish: async () => {
    over = true
    // Longer than any deadline in it; a call that has not ended by then never will.
    const late = new AbortController()
    await Promise.race([Promise.all(lanes), wait(20_000, undefined, { signal: late.signal }).catch(() => undefined)])
    late.abort()
    // What was given up last may not have reached the core, or its threads, yet.
    for (let n = 0; n < 100 && kept.some((client) => Client.stats(client).inFlight > 0); n += 1) await wait(20)
    const stats = kept.map((client) => Client.stats(client))
    await Promise.all(kept.map((client) => Client.close(client)))
    setImmediate(() => process.disconnect())
    return { counts: counts(), wrongs: accounts.flatMap(([, some]) => some.wrongs), stats }
  },
})
process.stdout.write('listening on nothing\n')
