/** The module of every isolate: `isolate.js ADDRESS...`. Id -5 takes 400 ms, which is told, id -6 3 s, id -7 25 s. */
import { setTimeout as sleep } from 'node:timers/promises'

import { Server } from 'volo-js/thrift'
import { ItemService } from '../../../examples/volo-gen/index.js'

const server = Server.of(ItemService, {
  getItem: async ({ id }) => {
    if (id === -5n) {
      console.log('begun')
      await sleep(400)
    }
    if (id === -6n) await sleep(3000)
    if (id === -7n) await sleep(25_000)
    return { item: { id, title: 'Hello Volo', content: 'This is a Volo example' } }
  },
})
const [first, ...others] = process.argv.slice(2)
for (const other of others) await server.listen(other)
await server.run(first)
