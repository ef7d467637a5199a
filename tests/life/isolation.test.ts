/** What one call does must not be seen by, or harm, another. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as wait } from 'node:timers/promises'
import test from 'ava'
import { VoloError } from 'volo-js'
import { answer, clientOf, load, serve } from './item.js'

test('what a handler enters into an AsyncLocalStorage is not seen by other calls, of the same batch or later ones', async (t) => {
  const storage = new AsyncLocalStorage<bigint>()
  const seen: unknown[] = []
  const server = await serve(async ({ id }) => {
    seen.push(storage.getStore())
    storage.enterWith(id)
    await wait(1)
    t.is(storage.getStore(), id, 'the call itself keeps it')
    return answer(id)
  })
  const client = clientOf(server.address)
  for (let round = 0; round < 3; round += 1) {
    await Promise.all(Array.from({ length: 32 }, (_, n) => client.getItem({ id: BigInt(n + 1) })))
  }
  t.is(seen.length, 96)
  t.deepEqual([...new Set(seen)], [undefined])
  await server.close()
})

test('the same holds for handlers that answer at once', async (t) => {
  const storage = new AsyncLocalStorage<bigint>()
  const seen: unknown[] = []
  const server = await serve(({ id }) => {
    seen.push(storage.getStore())
    storage.enterWith(id)
    return answer(id)
  })
  const client = clientOf(server.address)
  for (let round = 0; round < 3; round += 1) {
    await Promise.all(Array.from({ length: 32 }, (_, n) => client.getItem({ id: BigInt(n + 1) })))
  }
  t.deepEqual([...new Set(seen)], [undefined])
  await server.close()
})

test('a handler that throws, rejects, never answers or answers nonsense harms only its own call', async (t) => {
  const handlers: Record<string, () => unknown> = {
    0: () => {
      throw new Error('thrown')
    },
    1: () => Promise.reject(new Error('rejected')),
    2: () => new Promise(() => undefined),
    3: () => ({ item: { id: 1, title: 'a number for an i64', content: '' } }),
    4: () => undefined,
    5: () => ({ item: { id: 1n, title: 'no content' } }),
    6: () => {
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- users do
      throw undefined
    },
  }
  const server = await serve(({ id }) => (handlers[String(id)]?.() ?? (id < 7n ? undefined : answer(id))) as never)
  const client = clientOf(server.address, 'pool')
  const outcome = async (id: bigint) => {
    try {
      const { item } = await client.getItem({ id }, { timeout: id === 2n ? 500 : 10_000 })
      return item.title
    } catch (error) {
      if (!VoloError.is(error)) throw error
      return error.code
    }
  }
  const ids = [0n, 10n, 1n, 11n, 2n, 12n, 3n, 13n, 4n, 14n, 5n, 15n, 6n, 16n]
  const outcomes = await Promise.all(ids.map(outcome))
  for (const [index, id] of ids.entries()) {
    const expected = id >= 10n ? 'Hello Volo' : id === 2n ? 'DEADLINE_EXCEEDED' : 'INTERNAL'
    t.is(outcomes[index], expected, `call ${id}`)
  }
  t.is(await outcome(20n), 'Hello Volo', 'and the server goes on')
  await server.close({ grace: 0 })
})

test('other handles of the event loop live under full load', async (t) => {
  const server = await serve()
  let stop = false
  const loaded = load(clientOf(server.address), 256, () => stop)
  // Starved timers would never get there.
  await new Promise<void>((resolve) => {
    let ticks = 0
    const timer = setInterval(() => {
      ticks += 1
      if (ticks < 50) return
      clearInterval(timer)
      resolve()
    }, 5)
  })
  stop = true
  const { answered, failed } = await loaded
  t.is(failed, 0)
  t.true(answered > 1000, `${answered}`)
  await server.close()
})
