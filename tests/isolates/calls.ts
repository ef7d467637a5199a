/** Calls over connections of their own, so that the kernel spreads them over the isolates. */
import { setTimeout as sleep } from 'node:timers/promises'

import { Client } from 'volo-js/thrift'
import { ItemService } from '../../examples/volo-gen/index.js'

/** One call on a new connection: the thread that answered. */
export async function call(address: string, id = 1n): Promise<string> {
  await using client = Client.of(ItemService, 'item').address(address).build()
  const { item } = await client.getItem({ id })
  return item.title
}

/** The threads that answer `count` calls, in order of their first answer. */
export async function threads(address: string, count = 64): Promise<readonly string[]> {
  return [...new Set(await Promise.all(Array.from({ length: count }, () => call(address))))]
}

/** Calls until told to stop, each on a new connection; how many were answered, and why others were not. */
export async function keepCalling(
  address: string,
  lanes: number,
  until: () => boolean,
): Promise<{ answered: number; failures: string[] }> {
  const result = { answered: 0, failures: [] as string[] }
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      while (!until()) {
        try {
          await call(address)
          result.answered += 1
        } catch (error) {
          result.failures.push(String(error))
        }
      }
    }),
  )
  return result
}

/** Keeps `inFlight` calls of one client going until told to stop, on connections that stay open. */
export async function keepBusy(
  address: string,
  mode: 'pool' | 'pipelined',
  inFlight: number,
  until: () => boolean,
): Promise<{ answered: number; failures: string[] }> {
  const builder = Client.of(ItemService, 'item').address(address)
  await using client = (mode === 'pool' ? builder : builder.pipelined()).build()
  const result = { answered: 0, failures: [] as string[] }
  await Promise.all(
    Array.from({ length: inFlight }, async (_, lane) => {
      for (let n = 0; !until(); n += 1) {
        const id = BigInt(lane * 1_000_000 + n)
        try {
          const { item } = await client.getItem({ id })
          if (item.id !== id) result.failures.push(`asked for ${id}, got ${item.id}`)
          result.answered += 1
        } catch (error) {
          result.failures.push(String(error))
        }
      }
    }),
  )
  return result
}

/** Waits until something holds, for 20 s at most. */
export async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 20_000
  while (!(await holds())) {
    if (Date.now() > end) throw new Error('it never came to hold')
    await sleep(10)
  }
}
