/** A server on monoio that is called once. Prints what it runs on, as JSON. */
import { Client, Server } from 'volo-js/thrift'
import { answer, ItemService } from '../item.js'

const server = await Server.of(ItemService, { getItem: ({ id }) => answer(id) })
  .runtime('monoio', { threads: 2 })
  .listen('127.0.0.1:0')
const client = Client.of(ItemService, 'item').runtime('monoio').address(server.address).build()
const { item } = await client.getItem({ id: 7n })
console.log(JSON.stringify({ ...server.runtime, answered: String(item.id) }))
await Client.close(client)
await server.close()
