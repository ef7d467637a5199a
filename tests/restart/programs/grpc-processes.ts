/**
 * A server of gRPC: `grpc-processes.js ADDRESS`. Several may listen on one address. Title of an answer is its process id; id 0 is never answered.
 */
import { setTimeout as sleep } from 'node:timers/promises'

import { Server } from 'volo-js/grpc'
import { ItemService } from '../../../examples/volo-gen/grpc/index.js'

const title = String(process.pid)

await Server.of(ItemService, {
  getItem: async ({ id }) => {
    if (id === 0n) await new Promise(() => undefined)
    return { item: { id, title } }
  },
  async *streamItems({ id }) {
    for (let n = 0n; n < id; n += 1n) {
      yield { id: n, title }
      await sleep(10)
    }
  },
  async clientStream(items) {
    let last
    for await (const item of items) last = item
    return { item: last }
  },
  async *bidirectionalStream(items) {
    yield* items
  },
})
  .options({ reusePort: true })
  .run(process.argv[2], (handle) => {
    console.log(`listening ${handle.address}`)
  })
console.log('ended')
