/** A server, a client and calls between them, as a user's program has them. */
import { Client, Server } from 'volo-js/thrift'
import { ItemService } from './volo-gen/index.js'

/** A server on a free port and a client for it. */
export async function start() {
  const server = await Server.of(ItemService, {
    getItem: ({ id }) => ({ item: { id, title: `item ${id}`, content: 'content', extra: { a: 'ä' } } }),
  }).listen('127.0.0.1:0')
  const client = Client.of(ItemService, 'items').address(server.address).build()
  return {
    client,
    server,
    async close() {
      await Client.close(client)
      await server.close()
    },
  }
}

/**
 * Makes calls at once and checks every answer.
 * @param {number} count
 * @returns {Promise<number>} how many were answered rightly
 */
export async function call(count) {
  const { client, close } = await start()
  const answers = await Promise.all(Array.from({ length: count }, (_, n) => client.getItem({ id: BigInt(n) })))
  await close()
  return answers.filter(({ item }, n) => item.id === BigInt(n) && item.title === `item ${n}`).length
}
