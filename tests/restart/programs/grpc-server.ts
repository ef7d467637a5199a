/** A server of gRPC that hands over: `grpc-server.js ADDRESS PATH`. */
import { Server } from 'volo-js'

import { ItemService } from '../../../examples/volo-gen/grpc/index.js'
import { items } from '../../isolates/grpc-items.js'

const [address, path] = process.argv.slice(2)
await Server.of(ItemService, items)
  .options({ handover: path })
  .run(address, (handle) => {
    console.log(`listening ${handle.address}`)
  })
console.log('ended')
