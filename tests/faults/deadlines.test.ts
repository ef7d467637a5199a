/** Calls end at their deadline or when they are aborted, wherever they are by then, and nothing that comes later reaches anybody. */
import { setTimeout as wait } from 'node:timers/promises'
import test from 'ava'
import { Client, TransportError, VoloError } from 'volo-js/thrift'
import { peer } from './raw.js'
import { clientOf, serve } from './subject.js'
import { until } from './until.js'
import { framed, pong } from './wire.js'

/** An error of this package; anything else fails the test. */
async function errorOf(call: Promise<unknown>): Promise<VoloError> {
  try {
    await call
  } catch (error) {
    if (VoloError.is(error)) return error
    throw error
  }
  throw new Error('the call was answered')
}

for (const mode of ['pool', 'pipelined'] as const) {
  test(`a peer that accepts and never answers: the deadline says where the time went, ${mode}`, async (t) => {
    let connections = 0
    const address = await peer(t, () => {
      connections += 1
    })
    const client = clientOf(t, address, (builder) => (mode === 'pipelined' ? builder.pipelined() : builder))
    const error = await errorOf(client.ping('text', { timeout: 500 }))
    t.is(error.code, 'DEADLINE_EXCEEDED')
    t.is(error.status, 4)
    t.is(error.sent, 'maybe')
    t.regex(error.message, /^no answer from Everything\.Ping within 500 ms; it was on its way to 127\.0\.0\.1:\d+/)
    await until('the peer has accepted', () => connections === 1)
  })

  test(`a late reply reaches nobody, ${mode}`, async (t) => {
    let hold: (() => void) | undefined
    const address = await peer(t, async (raw) => {
      for (;;) {
        const { sequence, body } = await raw.message()
        const value = body.toString('utf8', 7, 7 + body.readInt32BE(3))
        const answer = framed(pong(value, sequence))
        if (value !== 'late') raw.send(answer)
        else hold = () => raw.send(answer)
      }
    })
    const client = clientOf(t, address, (builder) => (mode === 'pipelined' ? builder.pipelined() : builder))
    // One in time, so that there is a connection.
    t.is(await client.ping('first'), 'first')
    const error = await errorOf(client.ping('late', { timeout: 200 }))
    t.is(error.code, 'DEADLINE_EXCEEDED')
    // The next call has the slot of the one given up.
    const next = client.ping('next')
    await until('the late call is there', () => hold !== undefined)
    hold!()
    t.is(await next, 'next')
    t.is(await client.ping('last'), 'last')
  })

  test(`an aborted call rejects with the reason of its signal; the server is told where its connection ends, ${mode}`, async (t) => {
    const signals: AbortSignal[] = []
    let finish!: (text: string) => void
    const finished = new Promise<string>((resolve) => (finish = resolve))
    const { server, unharmed } = await serve(t, {
      toString: (_, cx) => {
        signals.push(cx.signal)
        return finished
      },
    })
    const client = clientOf(t, server.address, (builder) => (mode === 'pipelined' ? builder.pipelined() : builder))
    const controller = new AbortController()
    const call = client.toString('text', { signal: controller.signal })
    await until('the call is handled', () => signals.length === 1)
    const reason = new Error('the user went away')
    controller.abort(reason)
    t.is(await t.throwsAsync(call), reason)
    if (mode === 'pool') {
      // A connection with one call at a time has no other use for it.
      await until('the handler is told', () => signals[0].aborted)
      t.is(server.stats().abandoned, 1)
    }
    finish('late')
    t.is(await client.ping('next'), 'next')
    await t.throwsAsync(client.ping('never sent', { signal: AbortSignal.abort(reason) }), { is: reason })
    await until('only idle connections are left', () => server.stats().inFlight === 0)
    t.is(server.stats().calls, 3)
    await Client.close(client)
    await unharmed()
  })
}

test('the deadline of a call that waits for a connection says so, and that nothing was sent', async (t) => {
  let calls = 0
  let finish!: () => void
  const finished = new Promise<void>((resolve) => (finish = resolve))
  const { server, unharmed } = await serve(t, {
    toString: async (text) => {
      calls += 1
      await finished
      return text
    },
  })
  const client = clientOf(t, server.address, (builder) => builder.pool({ size: 1 }))
  const first = client.toString('first')
  await until('the first is handled', () => calls === 1)
  const error = await errorOf(client.toString('second', { timeout: 50 }))
  t.is(error.code, 'DEADLINE_EXCEEDED')
  t.is(error.sent, 'no')
  t.regex(error.message, /waited for a connection to 127\.0\.0\.1:\d+, behind 1 calls in a pool of 1/)
  finish()
  t.is(await first, 'first')
  t.is(await client.toString('third'), 'third')
  t.is(calls, 2, 'the second never left')
  await Client.close(client)
  await unharmed()
})

test('calls that wait for a connection get it in the order they were made, over no more connections than the pool has', async (t) => {
  const order: string[] = []
  const { server } = await serve(t, {
    toString: async (text) => {
      order.push(text)
      await wait(1)
      return text
    },
  })
  const client = clientOf(t, server.address, (builder) => builder.pool({ size: 2 }))
  const texts = Array.from({ length: 40 }, (_, n) => `${n}`)
  t.deepEqual(await Promise.all(texts.map((text) => client.toString(text))), texts)
  t.deepEqual(order, texts)
  t.is(server.stats().accepted, 3, 'the two of the pool and the bystander')
})

test('an aborted waiter leaves the queue; those behind it move up', async (t) => {
  const { server } = await serve(t, {
    toString: async (text) => {
      await wait(20)
      return text
    },
  })
  const client = clientOf(t, server.address, (builder) => builder.pool({ size: 1 }))
  const controller = new AbortController()
  const first = client.toString('first')
  const reason = new Error('not wanted any more')
  const second = t.throwsAsync(client.toString('second', { signal: controller.signal }), { is: reason })
  const third = client.toString('third')
  controller.abort(reason)
  await second
  t.deepEqual(await Promise.all([first, third]), ['first', 'third'])
  t.is(server.stats().calls, 3)
})

test('waiters go on when the connection they wait for is lost', async (t) => {
  const address = await peer(t, async (raw, nth) => {
    const { sequence, body } = await raw.message()
    if (nth === 0) return raw.reset()
    raw.send(framed(pong(body.toString('utf8', 7, 7 + body.readInt32BE(3)), sequence)))
  })
  const client = clientOf(t, address, (builder) => builder.pool({ size: 1 }))
  const [first, second] = await Promise.allSettled([client.ping('first'), client.ping('second')])
  t.is(first.status, 'rejected')
  t.true((first as PromiseRejectedResult).reason instanceof TransportError)
  t.deepEqual(second, { status: 'fulfilled', value: 'second' })
})
