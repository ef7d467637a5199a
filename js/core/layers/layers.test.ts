import { setTimeout as sleep } from 'node:timers/promises'

import test from 'ava'

import {
  Client,
  ContextKey,
  layerFn,
  log,
  Server,
  timeout,
  VoloError,
  type Handlers,
  type Layer,
  type ThriftContext,
} from '../../index.js'
import { FakeClock, pair } from '../../testing/index.js'
import { compose } from '../compose.js'
import { Items } from '../items.fixture.js'

const impl: Handlers<typeof Items> = {
  get: (id) => ({ id, title: '' }),
  join: ({ left, right }) => left + right,
  nothing: () => undefined,
  note: () => undefined,
}
const never = (): Promise<never> => new Promise(() => undefined)
const empty = { left: '', right: '' }

/** Notes its name when a request passes, and again when the answer does. */
function trace(name: string, seen: string[]): Layer {
  return layerFn(name, async (cx, req, next) => {
    seen.push(`${name} >`)
    try {
      return await next(cx, req)
    } finally {
      seen.push(`< ${name}`)
    }
  })
}

function onion(names: string[]): string[] {
  return [...names.map((name) => `${name} >`), ...names.toReversed().map((name) => `< ${name}`)]
}

test('on a server layerFront wraps outside and layer inside; the outermost sees the request first and the answer last', async (t) => {
  const seen: string[] = []
  const layer = (name: string): Layer => trace(name, seen)
  const server = Server.of(Items, impl)
    .layer(layer('auth'))
    .layerFront(layer('metrics'))
    .layer(layer('tracing'))
    .layerFront(layer('log'))
  const handle = await server.listen('memory:order')
  const client = Client.of(Items, 'items').address('memory:order').build()
  await client.get(1n)
  t.deepEqual(seen, onion(['log', 'metrics', 'auth', 'tracing']))
  t.deepEqual(
    handle.explain().map((stage) => stage.name),
    ['log', 'metrics', 'auth', 'tracing', 'handler'],
  )
  await Client.close(client)
  await handle.close()
})

test('on a client outer layers wrap the whole call and inner ones an attempt, each with its front', async (t) => {
  const seen: string[] = []
  const layer = (name: string): Layer => trace(name, seen)
  await using it = await pair(Items, impl, {
    client: (client) =>
      client
        .layerInner(layer('inner'))
        .layerOuter(layer('outer'))
        .layerInnerFront(layer('innerFront'))
        .layerOuterFront(layer('outerFront'))
        .layerOuter(layer('outer2')),
  })
  await it.client.get(1n)
  t.deepEqual(seen, onion(['outerFront', 'outer', 'outer2', 'innerFront', 'inner']))
  t.deepEqual(
    Client.explain(it.client).map((stage) => stage.name),
    ['outerFront', 'outer', 'outer2', 'innerFront', 'inner'],
  )
})

test('log, timeout, retry, metrics, auth, rate limit, tracing and circuit breaker: each does its part in the order written', async (t) => {
  const seen: string[] = []
  const lines: string[] = []
  const failures = { left: 2 }
  const note = (name: string): void => void seen.push(name)
  const retry = (attempts: number): Layer =>
    layerFn(`retry(${attempts})`, async (cx, req, next) => {
      for (let attempt = 1; ; attempt += 1) {
        note(`attempt ${attempt}`)
        try {
          return await next(cx, req)
        } catch (error) {
          if (attempt >= attempts || !VoloError.is(error) || error.code !== 'UNAVAILABLE') throw error
        }
      }
    })
  const counts = new Map<string, number>()
  const metrics = layerFn('metrics', (cx, req, next) => {
    note('metrics')
    counts.set(cx.method.name, (counts.get(cx.method.name) ?? 0) + 1)
    return next(cx, req)
  })
  const User = new ContextKey<string>('user')
  const auth = layerFn('auth', (cx, req, next) => {
    note('auth')
    cx.set(User, 'alice')
    return next(cx, req)
  })
  const rateLimit = (limit: number): Layer => {
    let used = 0
    return layerFn(`rateLimit(${limit})`, (cx, req, next) => {
      note('rateLimit')
      used += 1
      if (used > limit) throw new VoloError('RESOURCE_EXHAUSTED', `over ${limit} calls/s`)
      return next(cx, req)
    })
  }
  const tracing = layerFn('tracing', async (cx, req, next) => {
    note(`tracing ${cx.get(User)}`)
    return next(cx, req)
  })
  const circuitBreaker: Layer = {
    name: 'circuitBreaker',
    layer: (inner) => ({
      call: (cx, req) => {
        note('circuitBreaker')
        if (failures.left > 0) {
          failures.left -= 1
          throw new VoloError('UNAVAILABLE', 'open')
        }
        return inner.call(cx, req)
      },
    }),
  }
  await using it = await pair(Items, impl, {
    client: (client) =>
      client
        .layerOuter(log({ sink: (line) => lines.push(line) }))
        .layerOuter(timeout('3s'))
        .layerOuter(retry(3))
        .layerOuter(metrics)
        .layerOuter(auth)
        .layerOuter(rateLimit(1000))
        .layerOuter(tracing)
        .layerOuter(circuitBreaker),
  })
  t.is((await it.client.get(9n)).id, 9n)
  const attempt = ['metrics', 'auth', 'rateLimit', 'tracing alice', 'circuitBreaker']
  t.deepEqual(seen, ['attempt 1', ...attempt, 'attempt 2', ...attempt, 'attempt 3', ...attempt])
  t.is(counts.get('get'), 3)
  t.is(lines.length, 1)
  t.regex(lines[0], /client Items\.get memory:\S+ OK \d+\.\d\dms$/)
  t.deepEqual(
    Client.explain(it.client).map(({ name, runs }) => `${name} ${runs}`),
    [
      'log sync',
      'timeout(3s) sync',
      'retry(3) async',
      'metrics sync',
      'auth sync',
      'rateLimit(1000) sync',
      'tracing async',
      'circuitBreaker sync',
    ],
  )
})

test('synchronous layers over a synchronous service give the value itself, not a promise', (t) => {
  const pass = layerFn('pass', (cx, req, next) => next(cx, req))
  const { service } = compose([pass, pass, pass], { call: (_cx: never, req: unknown) => req })
  const request = { id: 1n }
  t.is(service.call(undefined as never, request), request)
})

test('a layer that is an instance of a class keeps its this, and so does the service it wraps', async (t) => {
  class Counting implements Layer {
    count = 0
    layer: Layer['layer'] = (inner) => {
      const increment = (): void => void (this.count += 1)
      class Counted {
        readonly #inner = inner
        call: typeof inner.call = (cx, req) => {
          increment()
          return this.#inner.call(cx, req)
        }
      }
      return new Counted()
    }
  }
  const counting = new Counting()
  await using it = await pair(Items, impl, {
    server: (server) => server.layer(counting).layerFront(layerFn('a', (cx, req, next) => next(cx, req))),
  })
  await it.client.get(1n)
  t.is(counting.count, 1)
  t.is(it.server.explain()[1].name, 'Counting')
})

test('timeout on a client ends the wait and gives the attempt up', async (t) => {
  const clock = new FakeClock()
  await using it = await pair(
    Items,
    { ...impl, join: never },
    {
      clock,
      client: (client) => client.layerOuter(timeout('3s')),
    },
  )
  const call = it.client.join(empty)
  clock.advance('3s')
  const error = await t.throwsAsync(call, { instanceOf: VoloError })
  t.is(error.code, 'DEADLINE_EXCEEDED')
  t.regex(error.message, /^no answer from Items\.join within 3000 ms; it was on its way to/)
  t.is(clock.timers, 0)
})

test('the nearer of two timeouts counts, and a retry between them begins afresh', async (t) => {
  const clock = new FakeClock()
  const deadlines: (number | undefined)[] = []
  const again = layerFn('again', async (cx, req, next) => {
    try {
      return await next(cx, req)
    } catch (error) {
      t.is((error as VoloError).code, 'DEADLINE_EXCEEDED')
      t.false(cx.signal.aborted)
      return next(cx, req)
    }
  })
  const look = layerFn('look', (cx, req, next) => {
    deadlines.push(cx.deadline)
    return next(cx, req)
  })
  await using it = await pair(
    Items,
    { ...impl, join: never },
    {
      clock,
      client: (client) =>
        client.layerOuter(timeout('1s')).layerOuter(again).layerInner(timeout('700ms')).layerInner(look),
    },
  )
  const start = clock.now()
  const call = it.client.join(empty)
  clock.advance('700ms')
  await sleep(5)
  clock.advance('300ms')
  const error = await t.throwsAsync(call, { code: 'DEADLINE_EXCEEDED' } as never)
  t.regex(error.message, /within (1000|300) ms/)
  t.deepEqual(deadlines, [start + 700, start + 1000])
  t.is(clock.timers, 0)
})

test('timeout on a server answers for a handler that does not, and aborts its signal', async (t) => {
  const clock = new FakeClock()
  let inside: ThriftContext | undefined
  await using it = await pair(
    Items,
    {
      ...impl,
      join: (_, cx) => {
        inside = cx
        return never()
      },
    },
    { clock, server: (server) => server.layer(timeout('3s')) },
  )
  const call = it.client.join(empty)
  while (clock.timers === 0) await sleep(1)
  clock.advance('3s')
  const error = await t.throwsAsync(call, { name: 'ThriftApplicationError' })
  t.is(error.message, 'DEADLINE_EXCEEDED: no answer from Items.join within 3000 ms')
  // First read afterwards: a handler that looks up late must see it, too.
  t.true(inside?.signal.aborted)
  t.is((inside?.signal.reason as VoloError).code, 'DEADLINE_EXCEEDED')
  t.deepEqual(it.errors, [])
})

test('a timeout over a synchronous handler arms no timer', async (t) => {
  const clock = new FakeClock()
  let armed = 0
  const set = clock.setTimer.bind(clock)
  clock.setTimer = (...args) => ((armed += 1), set(...args))
  await using it = await pair(Items, impl, { clock, server: (server) => server.layer(timeout('3s')) })
  await it.client.get(1n)
  t.is(armed, 0)
})

test('log gives one entry a call with its outcome', async (t) => {
  const entries: string[] = []
  const sink = (line: string): void => void entries.push(line)
  await using it = await pair(
    Items,
    {
      ...impl,
      join: () => {
        throw new RangeError('too long')
      },
      nothing: async () => {
        throw new VoloError('NOT_FOUND', 'nothing here')
      },
    },
    {
      server: (server) =>
        server.layerFront(log({ sink, format: ({ side, method, outcome }) => `${side} ${method} ${outcome}` })),
    },
  )
  await it.client.get(1n)
  await t.throwsAsync(it.client.join(empty))
  await t.throwsAsync(it.client.nothing())
  t.deepEqual(entries, ['server Items.get OK', 'server Items.join RangeError', 'server Items.nothing NOT_FOUND'])
})

test('layers and handlers on both sides of a timeout share values', async (t) => {
  const User = new ContextKey('user', { default: 'nobody' })
  const seen: string[] = []
  const outside = layerFn('outside', async (cx, req, next) => {
    cx.set(User, 'alice')
    const answer = await next(cx, req)
    seen.push(cx.get(User))
    return answer
  })
  const handlers: typeof impl = {
    ...impl,
    get: (id, cx) => {
      seen.push(cx.get(User))
      cx.set(User, 'bob')
      return { id, title: '' }
    },
  }
  await using it = await pair(Items, handlers, { server: (server) => server.layer(outside).layer(timeout('3s')) })
  await it.client.get(1n)
  t.deepEqual(seen, ['alice', 'bob'])
})

test('the caller going away is seen inside of a timeout', async (t) => {
  let inside: ThriftContext | undefined
  await using it = await pair(
    Items,
    {
      ...impl,
      join: (_, cx) => {
        inside = cx
        return never()
      },
    },
    { server: (server) => server.layer(timeout('30s')) },
  )
  const controller = new AbortController()
  const call = it.client.join(empty, { signal: controller.signal })
  while (inside === undefined) await sleep(1)
  controller.abort(new Error('enough'))
  await t.throwsAsync(call, { message: 'enough' })
  while (!inside.signal.aborted) await sleep(1)
  t.is((inside.signal.reason as VoloError).code, 'CANCELLED')
})

test('a key without a value or default says so; one with a value gives it', async (t) => {
  const Trace = new ContextKey<string>('trace')
  const Depth = new ContextKey('depth', { default: 3 })
  const seen: unknown[] = []
  await using it = await pair(Items, impl, {
    client: (client) =>
      client.layerOuter(
        layerFn('keys', (cx, req, next) => {
          seen.push(cx.has(Trace), cx.get(Depth))
          t.throws(() => cx.get(Trace), { message: /no value for ContextKey 'trace'; set it in a layer further out/ })
          cx.set(Trace, 'a')
          cx.set(Trace, 'b')
          seen.push(cx.get(Trace), cx.has(Trace))
          return next(cx, req)
        }),
      ),
  })
  await it.client.get(1n)
  t.deepEqual(seen, [false, 3, 'b', true])
})
