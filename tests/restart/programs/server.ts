/**
 * A server that hands over: `server.js ADDRESS PATH [GRACE]`. Id -101 is answered with its process id; id -5 takes 400 ms, which is told,
 * id -6 for ever.
 */
import { setTimeout as sleep } from 'node:timers/promises'

import { Server, type Duration, type HandoverOptions } from 'volo-js/thrift'
import { ItemService } from '../../../examples/volo-gen/index.js'

const [address, path, grace] = process.argv.slice(2)
const handover: HandoverOptions = { path, ...(grace === undefined ? {} : { grace: grace as Duration }) }

try {
  await Server.of(ItemService, {
    getItem: async ({ id }) => {
      if (id === -5n) {
        console.log('begun')
        await sleep(400)
      }
      if (id === -6n) await new Promise(() => undefined)
      const title = id === -101n ? String(process.pid) : 'Hello Volo'
      return { item: { id, title, content: 'This is a Volo example' } }
    },
  })
    .options({ handover })
    .run(address, (handle) => {
      console.log(`listening ${handle.address}`)
    })
  console.log('ended')
} catch (error) {
  console.log(`failed ${(error as Error).message}`)
  process.exitCode = 1
}
