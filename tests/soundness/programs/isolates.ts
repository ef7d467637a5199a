/**
 * Isolates that share one port and are ended at random moments, under load: `isolates.js COUNT ALIVE SEED`. Needs `--expose-gc`.
 * Prints what the process holds before, half-way and after, as JSON.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import { Client, Server, VoloError } from 'volo-js/thrift'
import { everything } from '../../interop/handlers.js'
import { answer, ItemService } from '../../life/item.js'
import { Everything } from '../../volo-gen/index.js'
import { settled } from '../held.js'
import { seeded, type Random } from '../random.js'

/** How an isolate ends: by `terminate` from outside, or from inside. */
const endings = ['terminate', 'terminate', 'terminate', 'exit', 'throw', 'reject', 'close'] as const
type Ending = (typeof endings)[number]

interface Task {
  readonly address: string
  readonly ending: Ending
  /** Milliseconds from its own beginning until it ends itself. */
  readonly after: number
}

/** Exit code of an isolate that ends itself with `process.exit`. */
const EXIT = 7

const listen = (address: string) =>
  Server.of(ItemService, { getItem: ({ id }) => (id % 2n === 0n ? answer(id) : wait(1, answer(id))) })
    .add(Everything, everything())
    .options({ reusePort: true, onError: () => undefined, onEvent: () => undefined })
    .listen(address)

/** Calls until told to stop. Connections are short-lived, so that all who listen get some. */
async function call(address: string, lanes: number, until: () => boolean): Promise<number> {
  const pooled = Client.of(ItemService, 'item').address(address).pool({ size: lanes, maxLifetime: 20 }).build()
  const pipelined = Client.of(ItemService, 'item').address(address).pipelined().build()
  // Large binaries lie in memory that both sides see.
  const large = Client.of(Everything, 'everything').address(address).pool({ size: 1, maxLifetime: 20 }).build()
  const data = new Uint8Array(150 * 1024).fill(lanes)
  let answered = 0
  const largeLane = async () => {
    while (!until()) {
      try {
        const back = await large.echoBinary(data, { timeout: '2s' })
        if (Buffer.compare(back, data) !== 0) throw new RangeError('other bytes came back')
        answered += 1
      } catch (error) {
        if (!VoloError.is(error)) throw error
      }
      // Few are enough, and leave room for the others.
      await wait(2)
    }
  }
  const lane = async (client: typeof pooled, id: bigint) => {
    for (; !until(); id += 1n) {
      try {
        const { item } = await client.getItem({ id }, { timeout: '2s' })
        if (item.id !== id) throw new RangeError(`asked for ${id}, got ${item.id}`)
        answered += 1
      } catch (error) {
        // Isolates that go take their connections with them.
        if (!VoloError.is(error)) throw error
        await wait(1)
      }
    }
  }
  const lanesOf = (n: number) => [lane(pooled, BigInt(n) << 32n), lane(pipelined, BigInt(n) << 40n)]
  await Promise.all([largeLane(), ...Array.from({ length: lanes }, (_, n) => lanesOf(n)).flat()])
  await Promise.all([Client.close(pooled), Client.close(pipelined), Client.close(large)])
  return answered
}

async function isolate({ address, ending, after }: Task): Promise<void> {
  const timer = setTimeout(() => {
    if (ending === 'exit') process.exit(EXIT)
    if (ending === 'throw') throw new Error('thrown on purpose')
    if (ending === 'reject') void Promise.reject(new Error('rejected on purpose'))
  }, after)
  const server = await listen(address)
  const started = performance.now()
  await call(address, 2, () => ending === 'close' && performance.now() - started > after)
  clearTimeout(timer)
  await server.close({ grace: 100 })
}

/** Lets one isolate live, and checks that it ended as it was meant to. */
async function live(address: string, random: Random): Promise<void> {
  const ending = random.of(endings)
  const task: Task = { address, ending, after: random.below(200) }
  const worker = new Worker(new URL(import.meta.url), { workerData: task })
  const ended = new Promise<string>((resolve) => {
    let failure = ''
    worker.on('error', (error) => (failure = ` ${error.message}`))
    worker.on('exit', (code) => resolve(`${code}${failure}`))
  })
  if (ending === 'terminate') {
    await wait(task.after)
    await worker.terminate()
  }
  const how = await ended
  const right: Record<Ending, readonly string[]> = {
    // Node says 0 where there was nothing to terminate yet.
    terminate: ['1', '0'],
    exit: [`${EXIT}`],
    throw: ['1 thrown on purpose'],
    reject: ['1 rejected on purpose'],
    close: ['0'],
  }
  if (!right[ending].includes(how)) throw new Error(`an isolate that was to ${ending} ended with ${how}`)
}

/** `count` isolates, `alive` of them at a time, while this thread serves and calls too. */
async function round(count: number, alive: number, random: Random): Promise<number> {
  const server = await listen('127.0.0.1:0')
  let left = count
  let done = false
  const load = call(server.address, 4, () => done)
  await Promise.all(
    Array.from({ length: alive }, async () => {
      while (left-- > 0) await live(server.address, random)
    }),
  )
  done = true
  const answered = await load
  await server.close({ grace: 1000 })
  return answered
}

if (isMainThread) {
  const [count, alive, seed] = process.argv.slice(2).map(Number)
  const random = seeded(seed)
  // The allocator and V8 keep what a process needs once; what it needs again and again would be a leak.
  const warming = Math.ceil(count / 5)
  let answered = await round(warming, alive, random)
  const before = await settled()
  const half = Math.ceil((count - warming) / 2)
  answered += await round(half, alive, random)
  const between = await settled(before)
  answered += await round(count - warming - half, alive, random)
  const after = await settled(before)
  console.log(JSON.stringify({ before, between, after, answered, isolates: count }))
} else {
  await isolate(workerData as Task)
}
