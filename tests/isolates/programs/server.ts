/**
 * The module every isolate runs. It answers with its thread's id; some ids do harm: -1 throws outside of the call, -2 exits, -3 takes all
 * the memory it may, -4 blocks for three seconds, -5 answers after 300 ms, -6 after two seconds.
 *
 * With `tells` it prints that such a call has begun. It listens on `others`, then on `address`. `control` is shared with the test. Its first
 * number tells isolates that start what to do: 1 fail, 2 hang, 3 hang but for the first one, which fails, 4 end as soon as they listen. The
 * second number counts those that run.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { threadId, workerData } from 'node:worker_threads'

import { Server } from 'volo-js/thrift'
import { ItemService } from '../../../examples/volo-gen/index.js'

const {
  address,
  others = [],
  control = new Int32Array(2),
  tells = false,
} = workerData as {
  address: string
  others?: readonly string[]
  control?: Int32Array
  tells?: boolean
}
if (Atomics.compareExchange(control, 0, 3, 2) === 3) throw new Error('told not to start')
if (Atomics.load(control, 0) === 1) throw new Error('told not to start')
if (Atomics.load(control, 0) === 2) await sleep(60_000)
Atomics.add(control, 1, 1)
process.on('exit', () => Atomics.sub(control, 1, 1))

const harm: Readonly<Record<string, () => unknown>> = {
  '-1': () => {
    setImmediate(() => {
      throw new Error('thrown outside of the call')
    })
  },
  '-2': () => process.exit(3),
  '-3': () => {
    const kept: unknown[] = []
    for (;;) kept.push(new Array(1 << 16).fill(kept.length))
  },
  '-4': () => {
    const until = Date.now() + 3000
    while (Date.now() < until);
  },
  '-5': () => sleep(300),
  '-6': () => sleep(2000),
}

const server = Server.of(ItemService, {
  getItem: async ({ id }) => {
    if (tells && id < 0n) console.log('begun')
    await harm[String(id)]?.()
    return { item: { id, title: String(threadId), content: '' } }
  },
})
for (const other of others) await server.listen(other)
if (Atomics.load(control, 0) === 4) {
  await server.listen(address)
  process.exit(3)
}
await server.run(address)
