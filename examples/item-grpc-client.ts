/**
 * Calls every method of item-grpc-server.ts.
 *
 *     npm run -s example -- item-grpc-client --port 8080
 */
import { parseArgs } from 'node:util'

import { Client, log } from 'volo-js'

import { ItemService } from './volo-gen/grpc/index.js'

const { values } = parseArgs({ options: { port: { type: 'string', default: '8080' } } })

await using client = Client.of(ItemService, 'volo-example').layerOuter(log()).address(`[::1]:${values.port}`).build()

const { item } = await client.getItem({ id: 1024n }, { timeout: '3s' })
console.log(item)

for await (const { id, title } of client.streamItems({ id: 1024n }, { timeout: '3s' })) console.log(id, title)

const some = [1n, 2n, 3n].map((id) => ({ id, title: `Mine ${id}` }))
const answer = await client.clientStream(some, { timeout: '3s' })
console.log('last sent:', answer.item?.title)

for await (const { title } of client.bidirectionalStream(some, { timeout: '3s' })) console.log('back again:', title)
