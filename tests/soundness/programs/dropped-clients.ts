/**
 * Clients that are dropped without being closed: `dropped-clients.js ADDRESS ROUNDS`. Needs `--expose-gc`. Prints what the process holds
 * before and after, as JSON.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { Client } from 'volo-js/thrift'
import { ItemService } from '../../life/item.js'
import { held, settled } from '../held.js'

const [address, rounds] = process.argv.slice(2)

/** Fifty clients of every kind, each with two calls behind it. */
async function some(): Promise<void> {
  await Promise.all(
    Array.from({ length: 50 }, async (_, n) => {
      const builder = Client.of(ItemService, 'item').address(address)
      const client = (n % 2 === 0 ? builder.pipelined() : builder.pool({ size: 2 })).build()
      await Promise.all([client.getItem({ id: 1n }), client.getItem({ id: 2n })])
    }),
  )
}

async function round(): Promise<void> {
  await some()
  // A client is found to be garbage in one turn and its connections are closed in the next.
  for (let turns = 0; turns < 3; turns += 1) {
    gc?.()
    await turn()
  }
}

const nothing = held()
for (let n = 0; n < 10; n += 1) await round()
const before = await settled(nothing)
for (let n = 0; n < Number(rounds); n += 1) await round()
const after = await settled(before)
console.log(JSON.stringify({ before, after }))
// What is left alive is no reason to stay: this is the end.
