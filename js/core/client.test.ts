import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

import test from 'ava'

import {
  Client,
  layerFn,
  Server,
  timeout,
  TransportError,
  VoloError,
  type Handlers,
  type ThriftContext,
} from '../index.js'
import { FakeClock, pair } from '../testing/index.js'
import { Items } from './items.fixture.js'

const impl: Handlers<typeof Items> = {
  get: (id) => ({ id, title: '' }),
  join: ({ left, right }) => left + right,
  nothing: () => undefined,
  note: () => undefined,
}

const never = (): Promise<string> => new Promise<string>(() => undefined)
const empty = { left: '', right: '' }

test('a client has the methods of the IDL and nothing else', async (t) => {
  const client = Client.of(Items, 'items').address('127.0.0.1:1').build()
  t.deepEqual(Object.keys(client), ['get', 'join', 'nothing', 'note'])
  t.is(Object.getPrototypeOf(client), null)
  t.false('then' in client)
  t.true(Object.isFrozen(client))
  await Client.close(client)
})

test('many calls at once are answered each with its own', async (t) => {
  for (const mode of ['pool', 'pipelined'] as const) {
    await using it = await pair(Items, impl, { client: (client) => (mode === 'pool' ? client : client.pipelined()) })
    const ids = Array.from({ length: 1000 }, (_, i) => BigInt(i))
    const items = await Promise.all(ids.map((id) => it.client.get(id)))
    t.deepEqual(
      items.map((item) => item.id),
      ids,
    )
  }
})

test('a request the IDL does not allow rejects, says where, and is not sent', async (t) => {
  await using it = await pair(Items, impl)
  const error = await t.throwsAsync(it.client.get(12 as never), { instanceOf: VoloError })
  t.regex(error.message, /expected bigint, got number 12; write 12n/)
  t.is(error.sent, 'no')
  t.is((await it.client.get(12n)).id, 12n)
})

test('nobody listening is a TransportError that says where, and that nothing was sent', async (t) => {
  const client = Client.of(Items, 'items').address('memory:nobody').build()
  const error = await t.throwsAsync(client.get(1n), { instanceOf: TransportError })
  t.is(error.code, 'UNAVAILABLE')
  t.is(error.status, 14)
  t.is(error.sent, 'no')
  t.regex(error.message, /^Items\.get on memory:nobody failed: /)
  await Client.close(client)
})

test('a timeout rejects with what is known, aborts the handler, and a later call is not disturbed', async (t) => {
  const clock = new FakeClock()
  await using it = await pair(Items, { ...impl, join: never }, { clock })
  const call = it.client.join(empty, { timeout: '200ms' })
  clock.advance('199ms')
  clock.advance('1ms')
  const error = await t.throwsAsync(call, { instanceOf: VoloError })
  t.is(error.code, 'DEADLINE_EXCEEDED')
  t.is(error.sent, 'maybe')
  t.is(
    error.message,
    `no answer from Items.join within 200 ms; it was on its way to ${it.server.address}, which may have processed it`,
  )
  t.is(clock.timers, 0)
  t.is((await it.client.get(1n)).id, 1n)
})

test('a timeout in the queue of a pool says so, and that nothing was sent', async (t) => {
  const clock = new FakeClock()
  await using it = await pair(
    Items,
    { ...impl, join: never },
    {
      clock,
      client: (client) => client.pool({ size: 1 }),
    },
  )
  const first = it.client.join(empty, { timeout: '300ms' })
  const second = it.client.join(empty, { timeout: '200ms' })
  clock.advance('200ms')
  const error = await t.throwsAsync(second, { instanceOf: VoloError })
  t.is(error.sent, 'no')
  t.regex(error.message, /it waited for a connection to .*, behind 1 calls in a pool of 1/)
  clock.advance('100ms')
  await t.throwsAsync(first, { code: 'DEADLINE_EXCEEDED' })
})

test('an answered call leaves no timer behind', async (t) => {
  const clock = new FakeClock()
  await using it = await pair(Items, impl, { clock })
  await it.client.get(1n, { timeout: '3s' })
  t.is(clock.timers, 0)
})

test('a deadline that has passed is not worth a call', async (t) => {
  let calls = 0
  await using it = await pair(Items, { ...impl, get: (id) => ((calls += 1), { id, title: '' }) })
  const error = await t.throwsAsync(it.client.get(1n, { timeout: 0 }), { instanceOf: VoloError })
  t.is(error.code, 'DEADLINE_EXCEEDED')
  t.is(error.sent, 'no')
  await it.client.get(2n)
  t.is(calls, 1)
})

test('an aborted signal rejects at once with its reason', async (t) => {
  await using it = await pair(Items, impl)
  const reason = new Error('never mind')
  await t.throwsAsync(it.client.get(1n, { signal: AbortSignal.abort(reason) }), { is: reason })
})

test('a signal is not listened to any more once the call has ended', async (t) => {
  await using it = await pair(Items, impl)
  let listeners = 0
  const { signal } = new AbortController()
  const add = signal.addEventListener.bind(signal)
  const remove = signal.removeEventListener.bind(signal)
  signal.addEventListener = (...args: Parameters<typeof add>) => ((listeners += 1), add(...args))
  signal.removeEventListener = (...args: Parameters<typeof remove>) => ((listeners -= 1), remove(...args))
  await it.client.get(1n, { signal })
  t.is(listeners, 0)
})

/** Waits until something has happened. */
async function until(happened: () => boolean): Promise<void> {
  for (let i = 0; i < 20_000 && !happened(); i += 1) await sleep(1)
}

test('the end of a server call is the end of the calls its handler makes for it', async (t) => {
  let inside: ThriftContext | undefined
  await using backend = await pair(Items, { ...impl, join: (_, cx) => ((inside = cx), never()) })
  let outcome: unknown
  await using front = await pair(Items, {
    ...impl,
    join: (request, cx) =>
      backend.client.join(request, { parent: cx }).catch((error: unknown) => {
        outcome = error
        throw error
      }),
  })
  const controller = new AbortController()
  const call = front.client.join(empty, { signal: controller.signal })
  await until(() => inside !== undefined)
  controller.abort(new Error('enough'))
  await t.throwsAsync(call, { message: 'enough' })
  await until(() => inside?.signal.aborted === true)
  t.is((outcome as VoloError).code, 'CANCELLED')
  t.true(inside?.signal.aborted)
})

test('the deadline of a server call holds for the calls its handler makes for it', async (t) => {
  const clock = new FakeClock()
  const deadlines: (number | undefined)[] = []
  await using backend = await pair(
    Items,
    { ...impl, join: never },
    {
      clock,
      client: (client) =>
        client.layerInner(
          layerFn('look', (cx, req, next) => {
            deadlines.push(cx.deadline)
            return next(cx, req)
          }),
        ),
    },
  )
  const errors: unknown[] = []
  const handlers: typeof impl = {
    ...impl,
    join: (request, cx) =>
      backend.client.join(request, { parent: cx, timeout: '5s' }).catch((error: unknown) => {
        errors.push(error)
        throw error
      }),
  }
  await using front = await pair(Items, handlers, { clock, server: (server) => server.layer(timeout('1s')) })
  const start = clock.now()
  const call = front.client.join(empty)
  await until(() => deadlines.length > 0)
  clock.advance('1s')
  await t.throwsAsync(call, { message: /^DEADLINE_EXCEEDED: no answer from Items\.join within 1000 ms/ })
  t.deepEqual(deadlines, [start + 1000])
  t.is((errors[0] as VoloError).code, 'DEADLINE_EXCEEDED')
})

test('a group fails as one: the first failure aborts the others', async (t) => {
  let aborted: unknown
  await using backend = await pair(Items, {
    ...impl,
    get: async () => {
      await sleep(5)
      throw new Error('broken')
    },
    join: never,
  })
  await using front = await pair(Items, {
    ...impl,
    get: async (id, cx) => {
      const [item] = await cx.all((group) => [
        backend.client.get(id, { parent: group }),
        backend.client.join(empty, { parent: group }).catch((error: unknown) => {
          aborted = error
          throw error
        }),
      ])
      return item
    },
  })
  await t.throwsAsync(front.client.get(1n), { message: 'internal error in Items.get' })
  t.is((aborted as VoloError).code, 'CANCELLED')
  t.is((aborted as VoloError).message, 'a call of the same group failed')
})

test('a group gives the values in their order', async (t) => {
  await using it = await pair(Items, {
    ...impl,
    join: async (_, cx) => {
      const [a, b] = await cx.all((group) => [sleep(5, 'a'), group.signal.aborted ? 'aborted' : 'b'])
      return a + b
    },
  })
  t.is(await it.client.join(empty), 'ab')
})

test("a client in another client's getter fails by itself and breaks nothing", async (t) => {
  await using it = await pair(Items, impl)
  let nested: Promise<unknown> | undefined
  const request = {
    get left(): string {
      nested = it.client.get(1n)
      return 'l'
    },
    right: 'r',
  }
  t.is(await it.client.join(request), 'lr')
  await t.throwsAsync(nested!, { message: /getters of messages must not make calls/ })
})

test('build says what is missing or wrong', (t) => {
  t.throws(() => Client.of(Items, 'items').build(), { message: /has no address; call address/ })
  t.throws(() => Client.of(Items, 'items').address('nowhere').build(), { message: /'nowhere' is no address/ })
  t.throws(
    () =>
      Client.of(Items, 'items')
        .address(':1')
        .connectTimeout('fast' as never)
        .build(),
    {
      message: /connectTimeout is 'fast', which is no duration/,
    },
  )
  t.throws(() => void Client.close({}), { message: /that is no client/ })
})

test('a server without services, and an address that is taken, say what to do', async (t) => {
  await t.throwsAsync(new Server().listen(':0'), { message: /has no service; call add/ })
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  const { port } = taken.address() as { port: number }
  const error = await t.throwsAsync(Server.of(Items, impl).listen(`127.0.0.1:${port}`), { instanceOf: VoloError })
  t.regex(error.message, /cannot listen on 127\.0\.0\.1:\d+: .*; choose another address/)
  taken.close()
})
