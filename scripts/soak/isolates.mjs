/**
 * Isolates of a soak run, which are replaced again and again: `isolates.mjs SEED`. Questions: `usage`, `stats`, `close`.
 */
import process from 'node:process'
import { setTimeout as wait } from 'node:timers/promises'

import { built } from '../lib/built.mjs'
import { random } from './random.mjs'
import { answering, usage } from './usage.mjs'

const { runIsolates } = await built('dist/bundle/index.js')

const isolates = await runIsolates(new URL('./isolate.mjs', import.meta.url), { count: 2, signals: false })
let reloads = 0
let over = false

/** @type {Promise<void>} */
let reloading = Promise.resolve()
const timer = setInterval(async () => {
  // One after another, at moments that are no pattern.
  await reloading
  await wait(random.below(5000))
  if (over) return
  reloading = isolates.reload()
  await reloading
  reloads += 1
}, 10_000)

answering({
  usage,
  stats: async () => {
    const { inFlight, connections } = await isolates.stats()
    return { inFlight, connections, reloads }
  },
  close: async () => {
    over = true
    clearInterval(timer)
    await reloading
    await isolates.close()
    setImmediate(() => process.disconnect())
    return true
  },
})
process.stdout.write(`listening on ${isolates.addresses[0]}\n`)
