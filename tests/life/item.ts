/** The ItemService for programs of this folder: a server, clients, and load. */
import { Client, Server, type Handlers, type ServerHandle } from 'volo-js/thrift'
import { ItemService } from '../../examples/volo-gen/index.js'

export { ItemService }
export type ItemHandlers = Handlers<typeof ItemService>
export type ItemClient = ReturnType<typeof clientOf>

export const answer = (id: bigint) => ({
  item: { id, title: 'Hello Volo', content: 'This is a Volo example', extra: undefined },
})

export function serve(getItem: ItemHandlers['getItem'] = (request) => answer(request.id)): Promise<ServerHandle> {
  return Server.of(ItemService, { getItem })
    .options({ onError: () => undefined })
    .listen('127.0.0.1:0')
}

export function clientOf(address: string, mode: 'pipelined' | 'pool' = 'pipelined') {
  const builder = Client.of(ItemService, 'item').address(address)
  return (mode === 'pipelined' ? builder.pipelined() : builder).build()
}

/** Keeps `inFlight` calls going until `until` says stop; how many were answered and how many failed. */
export async function load(
  client: ItemClient,
  inFlight: number,
  until: () => boolean,
): Promise<{ answered: number; failed: number }> {
  let answered = 0
  let failed = 0
  await Promise.all(
    Array.from({ length: inFlight }, async (_, lane) => {
      for (let n = 0; !until(); n += 1) {
        const id = BigInt(lane * 1_000_000 + n)
        try {
          const { item } = await client.getItem({ id })
          if (item.id !== id) throw new RangeError(`asked for ${id}, got ${item.id}`)
          answered += 1
        } catch (error) {
          if (error instanceof RangeError) throw error
          failed += 1
        }
      }
    }),
  )
  return { answered, failed }
}
