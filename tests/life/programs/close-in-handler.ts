/** A handler that closes its own server still gets its answer out; the process then ends. */
import type { ServerHandle } from 'volo-js/thrift'
import { answer, clientOf, serve } from '../item.js'

let closed: Promise<void> | undefined
const server: ServerHandle = await serve(({ id }) => {
  closed ??= server.close({ grace: '1s' })
  return answer(id)
})
const { item } = await clientOf(server.address).getItem({ id: 5n })
console.log(`got ${item.id}`)
await closed
console.log('closed')
