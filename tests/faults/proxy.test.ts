/** Calls that are passed on, where something goes wrong: every call is answered, and nothing of one reaches another. On every runtime. */
import { setTimeout as wait } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import test, { type ExecutionContext } from 'ava'
import {
  AnyService,
  Client,
  proxy,
  Server,
  ThriftApplicationError,
  VoloError,
  type Duration,
  type Handlers,
  type RuntimeKind,
  type ServerHandle,
  type ServerOptions,
} from 'volo-js/thrift'
import { everything } from '../interop/handlers.js'
import { Everything } from '../volo-gen/index.js'
import { peer, Raw } from './raw.js'
import { accounted, clientOf } from './subject.js'
import { until } from './until.js'
import { field, framed, message, MessageType, pong, struct, text, Type } from './wire.js'

// What operators set comes before what these tests ask for.
delete process.env.VOLO_RUNTIME
delete process.env.VOLO_THREADS

const runtimes: readonly RuntimeKind[] = ['inline', 'tokio', 'monoio']

type Builder = ReturnType<typeof upstreamOf>

function upstreamOf(address: string) {
  return Client.of(Everything, 'everything').address(address)
}

async function behind(t: ExecutionContext, handlers: Partial<Handlers<typeof Everything>> = {}): Promise<ServerHandle> {
  const server = await Server.of(Everything, { ...everything(), ...handlers }).listen('127.0.0.1:0')
  t.teardown(() => server.close({ grace: 0 }))
  return server
}

interface FrontOptions {
  readonly runtime: RuntimeKind
  readonly timeout?: Duration
  readonly server?: ServerOptions
  readonly set?: (builder: Builder) => Builder
}

async function front(t: ExecutionContext, address: string, options: FrontOptions): Promise<ServerHandle> {
  const { runtime, timeout, server = {}, set = (builder) => builder } = options
  const service = proxy(Everything, set(upstreamOf(address)), timeout === undefined ? {} : { timeout })
  const handle = await new Server().add(service).options(server).runtime(runtime, { threads: 2 }).listen('127.0.0.1:0')
  t.teardown(() => handle.close({ grace: 0 }))
  return handle
}

async function refused(t: ExecutionContext, call: Promise<unknown>, why: RegExp): Promise<void> {
  const error = await t.throwsAsync(call, { instanceOf: ThriftApplicationError, message: why })
  t.is(error.type, 6)
}

const waves = [
  ['pool', (builder: Builder) => builder.pool({ size: 16 })],
  ['pipelined', (builder: Builder) => builder.pipelined()],
  ['multiplexed', (builder: Builder) => builder.transport('ttheader').multiplexed({ connections: 2 })],
] as const

for (const runtime of runtimes) {
  for (const [mode, set] of waves) {
    test(`thousands of calls at once, each gets its own answer: ${mode}, ${runtime}`, async (t) => {
      const end = await behind(t, { toString: (value) => wait(Number(value.slice(-1)), value) })
      const server = await front(t, end.address, { runtime, set })
      const clients = Array.from({ length: 8 }, (_, n) =>
        clientOf(t, server.address, (builder) =>
          n % 2 === 0 ? builder.transport('ttheader').multiplexed() : builder.pipelined().protocol('compact'),
        ),
      )
      const texts = Array.from({ length: 4000 }, (_, n) => `${n}`)
      const answers = await Promise.all(texts.map((value, n) => clients[n % clients.length].toString(value)))
      t.deepEqual(answers, texts)
      accounted(t, server)
      t.like(server.stats(), { calls: 4000, replies: 4000, inFlight: 0 })
      t.like(server.upstreams()[0].stats, { calls: 4000, answered: 4000, inFlight: 0, waiting: 0 })
    })
  }

  test(`an upstream that is not there: the caller is told which, ${runtime}`, async (t) => {
    const gone = await behind(t)
    await gone.close()
    const server = await front(t, gone.address, { runtime })
    const client = clientOf(t, server.address)
    await refused(t, client.ping('a'), /^UNAVAILABLE: Ping on everything \(127\.0\.0\.1:\d+\) failed: cannot connect/)
    // A oneway call has nobody to tell.
    await client.notify('b')
    await refused(t, client.ping('c'), /^UNAVAILABLE/)
    await until('the oneway call is over', () => server.stats().inFlight === 0)
    t.like(server.stats(), { calls: 3, exceptions: 2 })
    t.like(server.upstreams()[0].stats, { calls: 3, failed: 3, answered: 0, inFlight: 0 })
  })

  test(`an upstream that dies in the middle of calls: they are answered, and the next one connects anew, ${runtime}`, async (t) => {
    const address = await peer(t, async (raw, nth) => {
      const { sequence, body } = await raw.message()
      if (nth > 0) return raw.send(framed(pong(body.toString('utf8', 7, 7 + body.readInt32BE(3)), sequence)))
      await raw.message()
      raw.send(framed(pong('half', sequence)).subarray(0, 12))
      raw.reset()
    })
    const server = await front(t, address, { runtime, set: (builder) => builder.pipelined() })
    const client = clientOf(t, server.address, (builder) => builder.pipelined())
    const calls = await Promise.allSettled([client.ping('a'), client.ping('b')])
    for (const call of calls) {
      t.is(call.status, 'rejected')
      t.regex(String((call as PromiseRejectedResult).reason), /UNAVAILABLE: Ping on everything/)
    }
    t.is(await client.ping('again'), 'again')
    accounted(t, server)
  })

  test(`an upstream whose answers are no Thrift, ${runtime}`, async (t) => {
    const address = await peer(t, async (raw) => {
      await raw.message()
      raw.send(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'))
    })
    const server = await front(t, address, { runtime })
    const client = clientOf(t, server.address)
    await refused(t, client.ping('a'), /^INTERNAL: Ping on everything .*not valid Thrift/)
  })

  test(`the time of a call: what the caller says, and what the proxy says, ${runtime}`, async (t) => {
    const left: number[] = []
    const signals: AbortSignal[] = []
    const end = await behind(t, {
      toString: async (value, cx) => {
        left.push((cx.deadline ?? Infinity) - Date.now())
        signals.push(cx.signal)
        await wait(20_000, undefined, { ref: false, signal: cx.signal })
        return value
      },
    })
    const headed = await front(t, end.address, { runtime, set: (builder) => builder.transport('ttheader') })
    const caller = clientOf(t, headed.address, (builder) => builder.transport('ttheader'))
    const error = await t.throwsAsync(caller.toString('a', { timeout: 3000 }), { instanceOf: VoloError })
    t.is(error.code, 'DEADLINE_EXCEEDED')
    t.true(left[0] > 0 && left[0] <= 3000, `${left[0]} ms were left`)
    await until('the end is told', () => signals[0].aborted)

    // The caller goes by itself, but here it is the proxy that ends the call.
    const timed = await front(t, end.address, { runtime, timeout: 2000 })
    const patient = clientOf(t, timed.address)
    await refused(t, patient.toString('b'), /^DEADLINE_EXCEEDED: no answer to toString from everything/)
    await until('the upstream call is given up', () => signals.length === 2 && signals[1].aborted)
    t.is(await patient.ping('next'), 'next')
    t.like(timed.upstreams()[0].stats, { calls: 2, answered: 1, cancelled: 1, inFlight: 0 })
    accounted(t, timed)
  })

  test(`a caller that goes takes its upstream call with it, ${runtime}`, async (t) => {
    const signals: AbortSignal[] = []
    const end = await behind(t, {
      toString: async (value, cx) => {
        signals.push(cx.signal)
        await wait(20_000, undefined, { ref: false, signal: cx.signal })
        return value
      },
    })
    const server = await front(t, end.address, { runtime })
    const raw = await Raw.to(t, server.address)
    const args = struct(field(Type.STRING, 1, text('x')))
    for (const sequence of [1, 2, 3]) raw.send(framed(message(MessageType.CALL, 'toString', sequence, args)))
    await until('the calls are there', () => signals.length === 3)
    raw.reset()
    await until('the handlers are told', () => signals.every((signal) => signal.aborted))
    await until('the calls are over', () => server.stats().inFlight === 0)
    t.is(server.stats().abandoned, 3)
    t.like(server.upstreams()[0].stats, { cancelled: 3, inFlight: 0, waiting: 0 })
    t.is(await clientOf(t, server.address).ping('next'), 'next')
  })

  test(`bytes behind a message in its frame are no second call, ${runtime}`, async (t) => {
    const end = await behind(t)
    const server = await front(t, end.address, { runtime, set: (builder) => builder.transport('buffered') })
    const raw = await Raw.to(t, server.address)
    const call = message(MessageType.CALL, 'Ping', 7, struct(field(Type.STRING, 1, text('x'))))
    raw.send(framed(Buffer.concat([call, call])))
    const answer = await raw.message()
    t.is(answer.type, MessageType.EXCEPTION)
    t.is(answer.sequence, 7)
    raw.send(framed(call.subarray(0, call.length - 1)))
    t.is((await raw.message()).type, MessageType.EXCEPTION)
    t.is(await clientOf(t, server.address).ping('next'), 'next')
    t.is(end.stats().calls, 1)
  })

  test(`limits of the server hold, ${runtime}`, async (t) => {
    let open!: () => void
    const opened = new Promise<void>((resolve) => (open = resolve))
    const end = await behind(t, { toString: (value) => opened.then(() => value) })
    // A half of it for each thread.
    const maxCalls = runtime === 'inline' ? 2 : 4
    const server = await front(t, end.address, { runtime, server: { maxCalls } })
    const client = clientOf(t, server.address, (builder) => builder.transport('ttheader').multiplexed())
    const calls = [client.toString('a'), client.toString('b')]
    await until('both are passed on', () => end.stats().inFlight === 2)
    await refused(t, client.toString('c'), /^RESOURCE_EXHAUSTED/)
    open()
    t.deepEqual(await Promise.all(calls), ['a', 'b'])
    t.like(server.stats(), { overloads: 1, inFlight: 0 })
  })

  test(`closing waits for calls that are passed on, and ends those that take too long, ${runtime}`, async (t) => {
    const end = await behind(t, { toString: (value) => wait(Number(value), value, { ref: false }) })
    const server = await front(t, end.address, { runtime })
    const client = clientOf(t, server.address, (builder) => builder.transport('ttheader').multiplexed())
    const calls = Promise.allSettled([client.toString('200'), client.toString('20000')])
    await until('both are passed on', () => end.stats().inFlight === 2)
    await server.close({ grace: 1000 })
    const [fast, slow] = await calls
    t.deepEqual(fast, { status: 'fulfilled', value: '200' })
    t.is(slow.status, 'rejected')
    await until('the upstream has no connection', () => end.stats().connections === 0)
    await until('its counters stay', () => server.upstreams()[0].stats.calls === 2)
    t.like(server.upstreams()[0].stats, { answered: 1, cancelled: 1, inFlight: 0, connections: 0 })
  })

  test(`oneway calls stay oneway, in order and all of them, ${runtime}`, async (t) => {
    const end = await behind(t)
    const server = await front(t, end.address, { runtime, set: (builder) => builder.pipelined() })
    const client = clientOf(t, server.address, (builder) => builder.pipelined())
    for (let n = 0; n < 500; n += 1) void client.notify(`${n}`)
    await until('all are there', () => end.stats().calls === 500)
    t.is(await client.count(), 500n)
    t.like(server.stats(), { calls: 501, inFlight: 0, exceptions: 0 })
    t.like(server.upstreams()[0].stats, { calls: 501, answered: 501 })
  })
}

test('an answer in the wrong frame is no second answer', async (t) => {
  const address = await peer(t, async (raw) => {
    for (;;) {
      const { sequence } = await raw.message()
      const answer = pong('real', sequence)
      raw.send(framed(Buffer.concat([answer, answer])))
    }
  })
  const server = await front(t, address, { runtime: 'inline' })
  const client = clientOf(t, server.address, (builder) => builder.transport('buffered'))
  await refused(t, client.ping('a'), /^INTERNAL: the answer of Ping .*bytes follow/)
  t.is(server.upstreams()[0].stats.failed, 1)
})

for (const runtime of ['tokio', 'monoio'] as const) {
  test(`JavaScript is never entered: calls are answered while the thread of the proxy is held up, ${runtime}`, async (t) => {
    const end = await behind(t)
    const worker = new Worker(new URL('./programs/held-up-proxy.js', import.meta.url), {
      workerData: { upstream: end.address, runtime },
    })
    t.teardown(() => worker.terminate())
    const [address, held] = await new Promise<[string, Int32Array]>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
    // From here on the worker waits, and not by its event loop.
    await until('the worker waits', () => Atomics.load(held, 0) === 1)
    for (const [transport, protocol] of [
      ['framed', 'binary'],
      ['ttheader', 'compact'],
      ['buffered', 'json'],
    ] as const) {
      const client = clientOf(t, address, (builder) => builder.transport(transport).protocol(protocol).pipelined())
      const texts = Array.from({ length: 200 }, (_, n) => `${n}`)
      t.deepEqual(await Promise.all(texts.map((value) => client.ping(value))), texts)
      await t.throwsAsync(client.fail(1))
    }
    t.is(Atomics.load(held, 0), 1, 'it still waits')
    t.is(end.stats().calls, 603)
    Atomics.store(held, 0, 2)
    Atomics.notify(held, 0)
  })
}

test('calls that nobody knows go on while the upstream comes and goes', async (t) => {
  const first = await behind(t)
  const { address } = first
  const estate = Client.of(AnyService, 'estate').address(address).pipelined()
  const server = await new Server().add(proxy(AnyService, estate)).listen('127.0.0.1:0')
  t.teardown(() => server.close({ grace: 0 }))
  const client = clientOf(t, server.address)
  t.is(await client.ping('a'), 'a')
  await first.close()
  await refused(t, client.ping('b'), /^UNAVAILABLE: Ping on estate/)
  const second = await Server.of(Everything, everything()).listen(address)
  t.teardown(() => second.close({ grace: 0 }))
  t.is(await client.ping('c'), 'c')
})
