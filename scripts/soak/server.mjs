/** The server of a soak run. Questions: `usage`, `stats`, `close`. */
import { setTimeout as wait } from 'node:timers/promises'

import { built } from '../lib/built.mjs'
import { answering, usage } from './usage.mjs'

const { Server } = await built('dist/bundle/thrift/index.js')
const { Everything } = await built('tests/volo-gen/index.js')
const { everything } = await built('tests/interop/handlers.js')

let oneway = 0
let events = 0

const handlers = {
  ...everything(),
  /** Answers late if its text says so: `5 ...` after 5 ms. */
  toString: (/** @type {string} */ text) => {
    const after = Number.parseInt(text, 10)
    return after > 0 ? wait(after, text) : text
  },
  notify: () => {
    oneway += 1
  },
}

const handle = await Server.of(Everything, handlers)
  .options({
    maxUnwritten: '256KiB',
    frameTimeout: '5s',
    // Raw peers give it plenty to complain about, and one of the methods fails on purpose.
    onError: () => undefined,
    onEvent: () => (events += 1),
  })
  .listen('127.0.0.1:0')

answering({
  usage,
  stats: () => ({ ...handle.stats(), oneway, events, runtime: handle.runtime }),
  close: async () => {
    await handle.close({ grace: '5s' })
    // The channel to the parent would keep this process.
    setImmediate(() => process.disconnect())
    return true
  },
})
process.stdout.write(`listening on ${handle.address}\n`)
