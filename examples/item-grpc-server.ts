/**
 * ItemService of item.proto: one method of each kind.
 *
 *     npm run -s example -- item-grpc-server --port 8080
 */
import { parseArgs } from 'node:util'

import { Server, type Handlers } from 'volo-js'

import { ItemService, type Item } from './volo-gen/grpc/index.js'

const { values } = parseArgs({ options: { port: { type: 'string', default: '8080' } } })

const items: Handlers<typeof ItemService> = {
  getItem: ({ id }) => ({ item: { id, title: 'Hello gRPC', content: 'Powered by Volo' } }),

  async *streamItems({ id }) {
    for (let n = 1; n <= 10; n++) yield { id: id + BigInt(n), title: `Item ${n}`, content: 'Powered by Volo' }
  },

  async clientStream(sent) {
    let last: Item | undefined
    for await (const item of sent) last = item
    return { item: last }
  },

  async *bidirectionalStream(sent) {
    for await (const item of sent) yield item
  },
}

await Server.of(ItemService, items).run(`:${values.port}`, ({ address, runtime }) => {
  console.log(`listening on ${address} (${runtime.kind}, ${runtime.driver})`)
})
