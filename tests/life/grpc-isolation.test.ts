/** What one gRPC call enters into an AsyncLocalStorage must not be seen by another, wherever its code runs. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'

import test, { type ExecutionContext } from 'ava'
import { Client, layerFn, Server, VoloError, type GrpcContext, type Handlers } from 'volo-js'

import { ItemService } from '../../examples/volo-gen/grpc/index.js'

type Items = Handlers<typeof ItemService>
type ItemClient = Awaited<ReturnType<typeof pair>>

const unused = (): never => {
  throw new VoloError('UNIMPLEMENTED', 'this test does not call it')
}

/** A client of a server that has these handlers, and with `tap` a layer that sees each message of its streams. */
async function pair(t: ExecutionContext, items: Partial<Items>, tap?: (cx: GrpcContext, message: unknown) => void) {
  const impl: Items = {
    getItem: unused,
    streamItems: unused,
    clientStream: unused,
    bidirectionalStream: unused,
    ...items,
  }
  const tapped = layerFn<GrpcContext>('tap', (cx, request, next) => {
    if (tap !== undefined) cx.onReceive((message) => tap(cx, message))
    return next(cx, request)
  })
  const server = await Server.of(ItemService, impl)
    .layer(tapped)
    .options({ onError: () => undefined })
    .listen('127.0.0.1:0')
  const client = Client.of(ItemService, 'item').address(server.address).build()
  t.teardown(async () => {
    await Client.close(client, { grace: 0 })
    await server.close({ grace: 0 })
  })
  return client
}

async function drained(messages: AsyncIterable<unknown>): Promise<void> {
  const reader = messages[Symbol.asyncIterator]()
  while ((await reader.next()).done !== true);
}

/** Calls of every kind, so many of each that batches hold several. */
async function mixture(client: ItemClient): Promise<void> {
  for (let round = 0; round < 3; round += 1) {
    await Promise.all(
      Array.from({ length: 16 }, (_, n) => {
        const id = BigInt(n + 1)
        return [
          drained(client.streamItems({ id })),
          drained(client.bidirectionalStream([{ id }, { id }])),
          client.clientStream([{ id }, { id }]),
          client.getItem({ id }),
        ]
      }).flat(),
    )
  }
}

test('handlers of every kind begin with nothing entered, and keep what they enter', async (t) => {
  const storage = new AsyncLocalStorage<bigint>()
  const seen: unknown[] = []
  let serial = 0n
  const enter = (): (() => void) => {
    const mine = (serial += 1n)
    seen.push(storage.getStore())
    storage.enterWith(mine)
    return () => t.is(storage.getStore(), mine, 'the call itself keeps it')
  }
  const client = await pair(t, {
    getItem: ({ id }) => {
      enter()
      return { item: { id, title: '', content: '' } }
    },
    async *streamItems({ id }) {
      const check = enter()
      yield { id }
      check()
      await wait(1)
      check()
      yield { id }
    },
    async clientStream(items) {
      const check = enter()
      const reader = items[Symbol.asyncIterator]()
      while ((await reader.next()).done !== true) check()
      return {}
    },
    async *bidirectionalStream(items) {
      const check = enter()
      for await (const item of items) {
        check()
        yield item
      }
    },
  })
  await mixture(client)
  t.is(seen.length, 3 * 16 * 4)
  t.deepEqual([...new Set(seen)], [undefined])
})

test('what a tap enters stays with its message', async (t) => {
  const storage = new AsyncLocalStorage<string>()
  const seen: unknown[] = []
  const client = await pair(
    t,
    {
      getItem: ({ id }) => {
        seen.push(storage.getStore())
        return { item: { id } }
      },
      async *streamItems({ id }) {
        seen.push(storage.getStore())
        yield await Promise.resolve({ id })
      },
      async clientStream(items) {
        await drained(items)
        return {}
      },
      bidirectionalStream: (items) => items,
    },
    () => {
      seen.push(storage.getStore())
      storage.enterWith('a message')
    },
  )
  await mixture(client)
  t.deepEqual([...new Set(seen)], [undefined])
})

test('what a listener of an aborted call enters reaches no other call', async (t) => {
  const storage = new AsyncLocalStorage<bigint>()
  const seen: unknown[] = []
  let started = 0
  let aborted = 0
  const client = await pair(t, {
    getItem: ({ id }) => {
      seen.push(storage.getStore())
      return { item: { id } }
    },
    async *streamItems({ id }, cx) {
      cx.signal.addEventListener('abort', () => {
        seen.push(storage.getStore())
        storage.enterWith(id)
        aborted += 1
      })
      started += 1
      yield { id }
      await once(cx.signal, 'abort')
    },
  })
  const controllers = Array.from({ length: 16 }, () => new AbortController())
  const streams = controllers.map(({ signal }, n) => drained(client.streamItems({ id: BigInt(n + 1) }, { signal })))
  while (started < 16) await wait(5)
  for (const controller of controllers) controller.abort()
  // In one batch with the cancellations.
  const calls = Array.from({ length: 16 }, (_, n) => client.getItem({ id: BigInt(n) }))
  const ends = await Promise.allSettled(streams)
  t.true(ends.every(({ status }) => status === 'rejected'))
  await Promise.all(calls)
  while (aborted < 16) await wait(5)
  t.is(seen.length, 32)
  t.deepEqual([...new Set(seen)], [undefined])
})

test('what a client is told of begins with nothing entered', async (t) => {
  const storage = new AsyncLocalStorage<bigint>()
  const seen: unknown[] = []
  const client = await pair(t, { getItem: ({ id }) => ({ item: { id } }) })
  const hook = (id: bigint) => () => {
    seen.push(storage.getStore())
    storage.enterWith(id)
  }
  await Promise.all(Array.from({ length: 32 }, (_, n) => client.getItem({ id: 1n }, { onHeader: hook(BigInt(n + 1)) })))
  t.is(seen.length, 32)
  t.deepEqual([...new Set(seen)], [undefined])
})
