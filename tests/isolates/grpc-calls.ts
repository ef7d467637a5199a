/** Calls of gRPC that go on while servers are replaced. */
import { Client } from 'volo-js'

import { ItemService } from '../../examples/volo-gen/grpc/index.js'

/** Items that `streamItems` yields, by the example's handlers and those of these tests. */
const ITEMS = 10

/**
 * Keeps unary calls and streams going, on connections that stay open as long as the servers let them; how many were answered, and why others
 * were not.
 */
export async function keepCallingGrpc(
  address: string,
  clients: number,
  until: () => boolean,
): Promise<{ answered: number; failures: string[] }> {
  const result = { answered: 0, failures: [] as string[] }
  const lane = async (call: () => Promise<boolean>): Promise<void> => {
    while (!until()) {
      try {
        if (await call()) result.answered += 1
        else result.failures.push('a wrong answer')
      } catch (error) {
        result.failures.push(String(error))
      }
    }
  }
  await Promise.all(
    Array.from({ length: clients }, async () => {
      const client = Client.of(ItemService, 'item').address(address).build()
      const unary = async () => (await client.getItem({ id: 7n })).item?.id === 7n
      const stream = async () => {
        let expected = 7n
        for await (const { id } of client.streamItems({ id: 7n })) if (id === expected + 1n) expected += 1n
        return expected === 7n + BigInt(ITEMS)
      }
      const both = async () => {
        const ids: bigint[] = []
        for await (const { id } of client.bidirectionalStream([{ id: 1n }, { id: 2n }])) ids.push(id)
        return String(ids) === '1,2'
      }
      await Promise.all([lane(unary), lane(unary), lane(stream), lane(both)])
      await Client.close(client)
    }),
  )
  return result
}
