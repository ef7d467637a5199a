/** The module of isolates that serve gRPC; its work data hold the address. */
import { workerData } from 'node:worker_threads'

import { Server } from 'volo-js'

import { ItemService } from '../../../examples/volo-gen/grpc/index.js'
import { items } from '../grpc-items.js'

const { address } = workerData as { address: string }
await Server.of(ItemService, items).run(address)
