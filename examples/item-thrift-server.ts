/**
 * ItemService of item.thrift.
 *
 *     npm run -s example -- item-thrift-server --port 8080
 */
import { parseArgs } from 'node:util'

import { Server, type Handlers } from 'volo-js/thrift'

import { ItemService } from './volo-gen/index.js'

const { values } = parseArgs({ options: { port: { type: 'string', default: '8080' } } })

const items: Handlers<typeof ItemService> = {
  getItem: ({ id }) => ({ item: { id, title: 'Hello Volo', content: 'This is a Volo example' } }),
}

await Server.of(ItemService, items).run(`:${values.port}`, ({ address, runtime }) => {
  console.log(`listening on ${address} (${runtime.kind}, ${runtime.driver})`)
})
