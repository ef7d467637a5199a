/** Works where code generation from strings is forbidden. */
import { clientOf, serve } from '../item.js'

const server = await serve()
const { item } = await clientOf(server.address).getItem({ id: 5n })
console.log(`got ${item.id}`)
await server.close()
