import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as sleep } from 'node:timers/promises'

import test from 'ava'

import { Client, Server, ThriftApplicationError, VoloError, type Handlers, type ThriftContext } from '../index.js'
import { pair } from '../testing/index.js'
import { Items, NotFound } from './items.fixture.js'

const impl: Handlers<typeof Items> = {
  get: (id) => ({ id, title: `item ${id}` }),
  join: async ({ left, right }) => {
    await sleep(1)
    return left + right
  },
  nothing: () => undefined,
  note: () => undefined,
}

/** Waits until something has happened, half a minute at most. */
async function until(happened: () => boolean): Promise<void> {
  for (let i = 0; i < 20_000 && !happened(); i += 1) await sleep(1)
}

test('sync and async handlers answer; several arguments are one object', async (t) => {
  await using it = await pair(Items, impl)
  t.deepEqual(await it.client.get(7n), { id: 7n, title: 'item 7' })
  t.is(await it.client.join({ left: 'a', right: 'b' }), 'ab')
  t.is(await it.client.nothing(), undefined)
})

test('handlers are given the context', async (t) => {
  let seen: ThriftContext | undefined
  await using it = await pair(Items, { ...impl, get: (id, cx) => ((seen = cx), { id, title: '' }) })
  await it.client.get(1n)
  t.like(seen, { side: 'server', protocol: 'thrift', deadline: undefined })
  t.like(seen?.method, { service: 'Items', name: 'get', wireName: 'get', kind: 'unary', idempotent: true })
  t.deepEqual(seen?.callee, { service: 'Items', address: it.server.address })
  t.false(seen?.signal.aborted)
})

test('a handler may be a class with state', async (t) => {
  class Store implements Handlers<typeof Items> {
    readonly #title = 'kept'
    get(id: bigint): { id: bigint; title: string } {
      return { id, title: this.#title }
    }
    join(): string {
      return this.#title
    }
    nothing(): void {}
    note(): void {}
  }
  await using it = await pair(Items, new Store())
  t.is((await it.client.get(1n)).title, 'kept')
})

test('declared exceptions arrive as what they are, thrown or rejected', async (t) => {
  for (const get of [
    (id: bigint) => {
      throw new NotFound(id)
    },
    (id: bigint) => Promise.reject(new NotFound(id)),
  ]) {
    await using it = await pair(Items, { ...impl, get })
    const error = await t.throwsAsync(it.client.get(5n), { instanceOf: NotFound })
    t.is(error.id, 5n)
    t.deepEqual(it.errors, [])
  }
})

test('other errors are logged with their stack and reach the caller without it', async (t) => {
  const bug = new TypeError('x is undefined at secret.ts')
  await using it = await pair(Items, {
    ...impl,
    get: () => {
      throw bug
    },
  })
  const error = await t.throwsAsync(it.client.get(5n), { instanceOf: ThriftApplicationError })
  t.is(error.message, 'internal error in Items.get')
  t.is(error.type, 6)
  t.is(error.code, 'INTERNAL')
  t.is(error.sent, 'yes')
  t.deepEqual(it.errors, [bug])
})

test('a ThriftApplicationError answers with its type and message', async (t) => {
  await using it = await pair(Items, {
    ...impl,
    get: () => {
      throw new ThriftApplicationError('not that way', 9)
    },
  })
  const error = await t.throwsAsync(it.client.get(5n), { instanceOf: ThriftApplicationError })
  t.is(error.message, 'not that way')
  t.is(error.type, 9)
  t.deepEqual(it.errors, [])
})

test('a VoloError answers with its code and message', async (t) => {
  await using it = await pair(Items, {
    ...impl,
    get: () => {
      throw new VoloError('RESOURCE_EXHAUSTED', 'over 1000 calls/s')
    },
  })
  const error = await t.throwsAsync(it.client.get(5n), { instanceOf: ThriftApplicationError })
  t.is(error.message, 'RESOURCE_EXHAUSTED: over 1000 calls/s')
})

test('a value the IDL does not allow is an internal error, and the next answer is whole', async (t) => {
  const handlers = {
    ...impl,
    get: (id: bigint) => (id === 1n ? ({ id: 'one', title: 'x' } as never) : { id, title: 'fine' }),
  }
  await using it = await pair(Items, handlers)
  const [bad, good] = await Promise.allSettled([it.client.get(1n), it.client.get(2n)])
  t.is(bad.status, 'rejected')
  t.deepEqual(good, { status: 'fulfilled', value: { id: 2n, title: 'fine' } })
  t.is(it.errors.length, 1)
  t.regex(String(it.errors[0]), /expected bigint, got string "one"/)
})

test('a handler that never answers harms only its call', async (t) => {
  await using it = await pair(Items, { ...impl, join: () => new Promise<string>(() => undefined) })
  const stuck = it.client.join({ left: '', right: '' }, { timeout: 100 })
  t.is((await it.client.get(1n)).id, 1n)
  await t.throwsAsync(stuck, { code: 'DEADLINE_EXCEEDED' })
})

test('what a handler enters into an AsyncLocalStorage is not seen by the next call of the batch', async (t) => {
  const who = new AsyncLocalStorage<bigint>()
  const seen: (bigint | undefined)[] = []
  const later: (bigint | undefined)[] = []
  await using it = await pair(
    Items,
    {
      ...impl,
      get: async (id) => {
        seen.push(who.getStore())
        who.enterWith(id)
        await sleep(1)
        later.push(who.getStore())
        return { id, title: '' }
      },
    },
    { client: (client) => client.pipelined() },
  )
  for (let round = 0; round < 3; round += 1)
    await Promise.all([it.client.get(1n), it.client.get(2n), it.client.get(3n)])
  t.deepEqual(
    seen,
    Array.from({ length: 9 }, () => undefined),
  )
  t.deepEqual(later, [1n, 2n, 3n, 1n, 2n, 3n, 1n, 2n, 3n])
})

test('the signal is aborted when the caller gives up, and the late answer is dropped', async (t) => {
  let reason: unknown
  let answer: ((text: string) => void) | undefined
  await using it = await pair(Items, {
    ...impl,
    join: (_, cx) =>
      new Promise<string>((resolve) => {
        answer = resolve
        cx.signal.addEventListener('abort', () => (reason = cx.signal.reason))
      }),
  })
  const controller = new AbortController()
  const call = it.client.join({ left: '', right: '' }, { signal: controller.signal })
  await until(() => answer !== undefined)
  controller.abort(new Error('enough'))
  await t.throwsAsync(call, { message: 'enough' })
  await until(() => reason !== undefined)
  t.true(VoloError.is(reason))
  t.is((reason as VoloError).code, 'CANCELLED')
  answer?.('too late')
  t.is((await it.client.get(3n)).id, 3n)
})

test('a oneway call runs and gives nothing', async (t) => {
  const notes: string[] = []
  await using it = await pair(Items, {
    ...impl,
    note: (text) => {
      notes.push(text)
      throw new Error('nobody hears this but the log')
    },
  })
  t.is(await it.client.note('hello'), undefined)
  await until(() => it.errors.length > 0)
  t.deepEqual(notes, ['hello'])
  t.is(it.errors.length, 1)
})

test.serial('an onError that throws breaks nothing', async (t) => {
  const handlers = {
    ...impl,
    get: () => {
      throw new Error('bug')
    },
  }
  const { error } = console
  const lines: unknown[] = []
  console.error = (...args) => void lines.push(args)
  try {
    const onError = (): void => {
      throw new Error('bug in onError')
    }
    await using it = await pair(Items, handlers, { onError })
    await t.throwsAsync(it.client.get(1n), { message: 'internal error in Items.get' })
  } finally {
    console.error = error
  }
  t.is(lines.length, 2)
})

test('a missing handler is an error that names it', (t) => {
  const { nothing: _, ...rest } = impl
  const error = t.throws(() => Server.of(Items, rest as never), { code: 'INVALID_ARGUMENT' } as never)
  t.is(error.message, "Items has no handler for 'nothing'; add a function of that name")
})

test('services of different builds share a server, each under its name once', async (t) => {
  const schema = Items.program.schema.replace('"name":"Items"', '"name":"Other"')
  const Other = { ...Items, name: 'Other', program: { ...Items.program, schema, hash: 'other' } }
  const server = new Server().add(Items, impl).add(Other, { ...impl, join: () => 'the other one' })
  t.throws(() => server.add(Other, impl), { message: 'the server has a service Other already' })
  const handle = await server.listen('memory:builds')
  for (const [service, joined] of [
    [Items, 'ab'],
    [Other, 'the other one'],
  ] as const) {
    await using client = Client.of(service, 'items').address('memory:builds').multiplexedService().build()
    t.is(await client.join({ left: 'a', right: 'b' }), joined)
  }
  await handle.close()
})

test('close lets calls in flight finish, and tells the address is free', async (t) => {
  let started = false
  const handlers: typeof impl = {
    ...impl,
    join: async (request, cx) => {
      started = true
      return impl.join(request, cx)
    },
  }
  const server = await Server.of(Items, handlers).listen('memory:closing')
  const client = Client.of(Items, 'items').address('memory:closing').build()
  const call = client.join({ left: 'a', right: 'b' })
  await until(() => started)
  const closing = server.close()
  t.is(server.close(), server.closed)
  t.is(await call, 'ab')
  await closing
  await Client.close(client)
  await t.throwsAsync(client.get(1n), { message: "the client of 'items' is closed; build a new one" })
})
