/** Types of generated code, from the descriptor to handlers and clients. */
import { Client, Server, type Handlers, type RequestOf, type ResponseOf } from 'volo-js/thrift'

import { ItemService, type GetItemRequest, type GetItemResponse } from '../../examples/volo-gen/index.js'

const request: RequestOf<typeof ItemService, 'getItem'> = { id: 1n } satisfies GetItemRequest
const response: ResponseOf<typeof ItemService, 'getItem'> = {
  item: { id: 1n, title: '', content: '' },
} satisfies GetItemResponse

const impl: Handlers<typeof ItemService> = {
  getItem: (req) => ({ item: { id: req.id, title: 'Hello Volo', content: 'This is a Volo example' } }),
}
const server = Server.of(ItemService, impl)

Server.of(ItemService, {
  // @ts-expect-error the title is missing
  getItem: ({ id }) => ({ item: { id, content: '' } }),
})
// @ts-expect-error methods are camelCase of the IDL's
Server.of(ItemService, { GetItem: impl.getItem })

async function call(): Promise<[bigint, Record<string, string> | undefined]> {
  await using client = Client.of(ItemService, 'volo-example').address('[::1]:8080').build()
  const { item } = await client.getItem({ id: 1024n }, { timeout: '200ms' })
  // @ts-expect-error an i64 is a bigint
  await client.getItem({ id: 1024 })
  // @ts-expect-error there is no such field
  console.log(item.price)
  return [item.id, item.extra]
}

export { call, request, response, server }
