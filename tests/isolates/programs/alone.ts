/** One server of several processes on one port: `alone.js ADDRESS`. It answers with its process id; id -5 takes 300 ms and is told. */
import { setTimeout as sleep } from 'node:timers/promises'

import { Server } from 'volo-js/thrift'
import { ItemService } from '../../../examples/volo-gen/index.js'

await Server.of(ItemService, {
  getItem: async ({ id }) => {
    if (id === -5n) {
      console.log('begun')
      await sleep(300)
    }
    return { item: { id, title: String(process.pid), content: '' } }
  },
})
  .options({ reusePort: true })
  .run(process.argv[2], ({ address }) => {
    console.log(`listening ${address}`)
  })
