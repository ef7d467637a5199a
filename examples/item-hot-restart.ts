/**
 * A server that hands over: start it a second time, and the first one ends without losing a call or a connection.
 *
 *     npm run -s example -- item-hot-restart --port 8080
 */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { Server } from 'volo-js/thrift'

import { ItemService } from './volo-gen/index.js'

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '8080' },
    // In production a directory that only this user may write to, as /run/item.
    handover: { type: 'string', default: join(tmpdir(), 'item-handover.sock') },
  },
})

await Server.of(ItemService, {
  getItem: ({ id }) => ({ item: { id, title: 'Hello Volo', content: `answered by process ${process.pid}` } }),
})
  .options({ handover: values.handover })
  .run(`:${values.port}`, ({ address }) => {
    console.log(`process ${process.pid} serves on ${address}`)
  })

console.log(`process ${process.pid} has handed everything over`)
