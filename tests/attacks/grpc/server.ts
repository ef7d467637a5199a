/**
 * The ItemService that is attacked: it streams without end, waits only a second for peers that take nothing, and prints how many it has given up.
 *
 *     node tests/attacks/grpc/server.js
 */
import { Server, type Handlers } from 'volo-js'
import { ItemService } from '../../../examples/volo-gen/grpc/index.js'

const content = 'x'.repeat(1000)

const items: Handlers<typeof ItemService> = {
  getItem: ({ id }) => ({ item: { id, title: 'Hello gRPC', content: 'Powered by Volo' } }),
  async *streamItems({ id }) {
    for (let next = id + 1n; ; next++) yield { id: next, title: 'Item', content }
  },
  async clientStream(sent) {
    let count = 0n
    for await (const _item of sent) count += 1n
    return { item: { id: count } }
  },
  async *bidirectionalStream(sent) {
    for await (const item of sent) yield item
  },
}

await Server.of(ItemService, items)
  // Events are told by others. A loop that is busy for a second with endless streams has not read yet what a new connection begins with.
  .options({ frameTimeout: '5s', writeTimeout: '1s', onEvent: () => undefined })
  .run('127.0.0.1:0', (handle) => {
    console.log(`listening on ${handle.address}`)
    let told = 0
    setInterval(() => {
      const { writeTimeouts } = handle.stats()
      if (writeTimeouts > told) console.log(`slow readers: ${writeTimeouts}`)
      told = writeTimeouts
    }, 100).unref()
  })
