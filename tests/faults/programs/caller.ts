/** Calls over and over from a process that will be stopped or killed: `caller.js ADDRESS LANES`. Says when the first answers are there. */
import { Client } from 'volo-js/thrift'
import { Everything } from '../../volo-gen/index.js'

const [address, lanes] = process.argv.slice(2)
const clients = [
  Client.of(Everything, 'everything').address(address).pipelined().build(),
  Client.of(Everything, 'everything').address(address).build(),
]
const data = new Uint8Array(8192)
let answered = 0
await Promise.all(
  Array.from({ length: Number(lanes) }, async (_, lane) => {
    const client = clients[lane % 2]
    for (;;) {
      if (lane % 4 < 2) await client.toString(`${lane}`)
      else await client.echoBinary(data)
      answered += 1
      if (answered === Number(lanes)) process.send!('calling')
    }
  }),
)
