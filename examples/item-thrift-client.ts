/**
 * Asks the ItemService of item-thrift-server.ts for an item.
 *
 *     npm run -s example -- item-thrift-client --port 8080
 */
import { parseArgs } from 'node:util'

import { Client, log, timeout } from 'volo-js/thrift'

import { ItemService } from './volo-gen/index.js'

const { values } = parseArgs({ options: { port: { type: 'string', default: '8080' } } })

await using client = Client.of(ItemService, 'volo-example')
  .layerOuter(timeout('3s'))
  .layerOuter(log())
  .address(`[::1]:${values.port}`)
  .build()

const { item } = await client.getItem({ id: 1024n })
console.log(item)
