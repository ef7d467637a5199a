/**
 * A process that ends itself in the middle of everything: `ending.js ROLE HOW AFTER [ADDRESS]`. Roles: `server`, which tells its address to its
 * parent, `client` of ADDRESS, or `both`. After AFTER milliseconds, at the next moment of the kind that HOW names, it ends.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { Client, Server, VoloError } from 'volo-js/thrift'
import { answer, ItemService } from '../../life/item.js'

const [role, how, after, given] = process.argv.slice(2)

let due = false
setTimeout(() => (due = true), Number(after)).unref()

const end = (): never => process.exit(7)
const raise = (): never => {
  throw new Error('on purpose')
}

/** Called at moments of the kind that `when` names. */
function moment(when: 'handler' | 'answered' | 'writing'): void {
  if (!due) return
  if (how === `exit-${when}`) end()
  if (how === `tick-${when}`) process.nextTick(raise)
  if (how === `microtask-${when}`) queueMicrotask(raise)
  if (how === `reject-${when}`) void Promise.reject(new Error('on purpose'))
}

if (how === 'exit-timer') setTimeout(end, Number(after))
if (how === 'throw-timer') setTimeout(raise, Number(after))
if (how === 'exit-immediate') setTimeout(() => setImmediate(end), Number(after))

async function serve(): Promise<string> {
  const server = await Server.of(ItemService, {
    getItem: async ({ id }) => {
      moment('handler')
      if (id % 3n === 0n) await wait(1)
      const { item } = answer(id)
      return {
        item: {
          ...item,
          // In the middle of a message on the tape.
          get title() {
            moment('writing')
            return 'Hello'
          },
        },
      }
    },
  })
    .options({ onError: () => undefined })
    .listen('127.0.0.1:0')
  process.send?.(server.address)
  return server.address
}

async function call(address: string): Promise<void> {
  const clients = [
    Client.of(ItemService, 'item').address(address).pipelined().build(),
    Client.of(ItemService, 'item').address(address).build(),
  ]
  const lane = async (n: number): Promise<void> => {
    for (let id = BigInt(n); ; id += 16n) {
      try {
        await clients[n % 2].getItem({
          get id() {
            moment('writing')
            return id
          },
        })
      } catch (error) {
        if (!VoloError.is(error)) throw error
      }
      moment('answered')
    }
  }
  await Promise.all(Array.from({ length: 16 }, (_, n) => lane(n)))
}

const address = role === 'client' ? given : await serve()
if (role !== 'server') await call(address)
