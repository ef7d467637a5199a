/** Servers have peers that are slow, half gone, gone, or many. */
import { setTimeout as wait } from 'node:timers/promises'
import test from 'ava'
import { Client, ThriftProtocolError, TransportError, type ThriftContext } from 'volo-js/thrift'
import { Raw } from './raw.js'
import { accounted, clientOf, serve } from './subject.js'
import { until } from './until.js'
import { echoBinary, framed, MessageType, message, ping, pong } from './wire.js'

/** A promise and how to settle it. */
function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open!: () => void
  const opened = new Promise<void>((resolve) => (open = resolve))
  return { opened, open }
}

const long = 'ü🎈'.repeat(700)

test('requests that come a byte at a time are answered, framed and buffered', async (t) => {
  const { server, unharmed } = await serve(t)
  for (const wrap of [framed, (bytes: Buffer) => bytes]) {
    const raw = await Raw.to(t, server.address)
    await raw.trickle(wrap(ping(long)))
    t.deepEqual(await raw.bytes(wrap(pong(long)).length), wrap(pong(long)))
    // The next one begins in the middle of a packet.
    const two = Buffer.concat([wrap(ping('a', 2)), wrap(ping('b', 3))])
    raw.send(two.subarray(0, two.length / 2 + 5))
    await wait(5)
    raw.send(two.subarray(two.length / 2 + 5))
    const answers = Buffer.concat([wrap(pong('a', 2)), wrap(pong('b', 3))])
    t.deepEqual(await raw.bytes(answers.length), answers)
    raw.half()
    t.is(await raw.end(), 'end')
  }
  await unharmed()
})

for (const transport of ['framed', 'buffered']) {
  test(`a peer that sends no more is still answered, then the connection is closed, ${transport}`, async (t) => {
    const { opened, open } = gate()
    const { server, unharmed } = await serve(t, {
      toString: async (text) => {
        await opened
        return text
      },
    })
    const wrap = transport === 'framed' ? framed : (bytes: Buffer) => bytes
    const raw = await Raw.to(t, server.address)
    const call = message(MessageType.CALL, 'toString', 1, ping('late').subarray(-12))
    raw.send(wrap(call), wrap(ping('behind', 2)))
    raw.half()
    await until('the call is handled', () => server.stats().inFlight === 1)
    t.is(raw.ended, undefined)
    open()
    const answers = Buffer.concat([
      wrap(message(MessageType.REPLY, 'toString', 1, pong('late').subarray(-12))),
      wrap(pong('behind', 2)),
    ])
    t.deepEqual(await raw.bytes(answers.length), answers)
    t.is(await raw.end(), 'end')
    await unharmed()
  })
}

test('a peer that resets while its call is handled: the handler is told, its answer reaches nobody', async (t) => {
  const { opened, open } = gate()
  let seen: ThriftContext | undefined
  const { server, errors, unharmed } = await serve(t, {
    toString: async (text, cx) => {
      seen = cx
      await opened
      return text
    },
  })
  const raw = await Raw.to(t, server.address)
  raw.send(framed(message(MessageType.CALL, 'toString', 1, ping('text').subarray(-12))))
  await until('the call is handled', () => seen !== undefined)
  raw.reset()
  await until('the handler is told', () => seen!.signal.aborted)
  t.is((seen!.signal.reason as { code?: string }).code, 'CANCELLED')
  t.is(server.stats().abandoned, 1)
  // Its slot belongs to another call by now.
  const other = await Raw.to(t, server.address)
  other.send(framed(ping('other', 7)))
  const expected = framed(pong('other', 7))
  t.deepEqual(await other.bytes(expected.length), expected)
  open()
  await wait(20)
  other.half()
  t.is(await other.end(), 'end')
  await unharmed()
  t.deepEqual(errors, [])
})

test('a peer that resets in the middle of a reply', async (t) => {
  const { server, unharmed } = await serve(t)
  const raw = await Raw.to(t, server.address)
  raw.socket.pause()
  raw.send(framed(echoBinary(Buffer.alloc(12 * 2 ** 20, 7))))
  await until('the reply is on its way', () => server.stats().replies === 2 && server.stats().bytesWritten > 10_000)
  t.true(server.stats().bytesWritten < 12 * 2 ** 20, 'but not written whole')
  raw.reset()
  await unharmed()
})

test('a peer that does not read is not read any more; once it reads, every answer comes, in order', async (t) => {
  const { server, unharmed } = await serve(t, {}, { maxUnwritten: '256KiB' })
  const raw = await Raw.to(t, server.address)
  raw.socket.pause()
  const payload = Buffer.alloc(128 << 10, 1)
  const count = 200
  for (let n = 0; n < count; n += 1) raw.send(framed(echoBinary(payload, n)))
  await until('the connection is paused', () => server.stats().pauses > 0)
  // As far as it goes: what the kernel's buffers hold, and not all of it.
  let calls = -1
  while (calls !== server.stats().calls) {
    calls = server.stats().calls
    await wait(50)
  }
  t.true(calls < count, `${calls} of ${count} calls were taken`)
  raw.socket.resume()
  for (let n = 0; n < count; n += 1) {
    const { type, sequence, body } = await raw.message()
    t.is(type, MessageType.REPLY)
    t.is(sequence, n)
    t.is(body.length, payload.length + 8)
  }
  t.is(server.stats().calls, count + 1)
  raw.half()
  t.is(await raw.end(), 'end')
  await unharmed()
})

test('a peer with too many calls in flight is not read until some are answered', async (t) => {
  const { opened, open } = gate()
  let running = 0
  const { server, unharmed } = await serve(
    t,
    {
      toString: async (text) => {
        running += 1
        await opened
        return text
      },
    },
    { maxInFlight: 10 },
  )
  const raw = await Raw.to(t, server.address)
  const call = (n: number) => framed(message(MessageType.CALL, 'toString', n, ping(`${n}`.padStart(4)).subarray(-12)))
  // Longer than the server reads at once, so that the rest stays in the kernel.
  for (let n = 0; n < 5000; n += 1) raw.send(call(n))
  await until('the connection is paused', () => server.stats().pauses === 1)
  await until('those it was given run', () => running === 10)
  open()
  for (let n = 0; n < 5000; n += 1) t.is((await raw.message()).sequence, n)
  raw.half()
  t.is(await raw.end(), 'end')
  t.true(server.stats().pauses > 1)
  await unharmed()
})

test('an answer larger than its client takes costs the client its connection, and nobody else anything', async (t) => {
  const large = 'x'.repeat(17 * 2 ** 20)
  const { server, unharmed } = await serve(t, { toString: () => large })
  const client = clientOf(t, server.address)
  const error = await t.throwsAsync(client.toString('text'), { instanceOf: ThriftProtocolError })
  t.regex(error.message, /exceeds the limit of 16777216/)
  t.is(await client.ping('next'), 'next')
  await Client.close(client)
  await unharmed()
})

test('a thousand connections are served side by side', async (t) => {
  const { server, unharmed } = await serve(t)
  const raws = await Promise.all(Array.from({ length: 1000 }, () => Raw.to(t, server.address)))
  await until('all are there', () => server.stats().connections === 1001)
  for (const round of [1, 2]) {
    for (const [n, raw] of raws.entries()) raw.send(framed(ping(`${n}`, round)))
    const answers = await Promise.all(raws.map(async (raw, n) => raw.bytes(framed(pong(`${n}`)).length)))
    t.true(answers.every((answer, n) => answer.equals(framed(pong(`${n}`, round)))))
  }
  // Half of them go in order, half do not.
  for (const [n, raw] of raws.entries()) {
    if (n % 2 === 0) raw.half()
    else raw.reset()
  }
  await unharmed()
  const { accepted, calls } = server.stats()
  t.true(accepted >= 1002)
  t.is(calls, 2003)
})

test('a server that closes answers what is in flight, refuses what is new, and closes idle connections at once', async (t) => {
  const { opened, open } = gate()
  let running = 0
  const { server } = await serve(t, {
    toString: async (text) => {
      running += 1
      await opened
      return text
    },
  })
  const clients = [clientOf(t, server.address), clientOf(t, server.address, (builder) => builder.pipelined())]
  const calls = clients.flatMap((client) => ['a', 'b'].map((text) => client.toString(text)))
  const idle = await Raw.to(t, server.address)
  await until('all are in flight', () => running === 4)
  let closed = false
  const closing = server.close({ grace: '20s' }).then(() => (closed = true))
  t.is(await idle.end(), 'end')
  const refused = await t.throwsAsync(clientOf(t, server.address).ping('new'), { instanceOf: TransportError })
  t.is(refused.sent, 'no')
  t.false(closed)
  open()
  t.deepEqual(await Promise.all(calls), ['a', 'b', 'a', 'b'])
  await closing
  t.is(running, 4)
})

test('calls that outlast the grace time are given up: the handlers are told, the clients learn that they may have run', async (t) => {
  const signals: AbortSignal[] = []
  const { server } = await serve(t, {
    toString: (_, cx) => {
      signals.push(cx.signal)
      return new Promise<string>(() => undefined)
    },
  })
  const client = clientOf(t, server.address)
  const calls = ['a', 'b'].map((text) => t.throwsAsync(client.toString(text), { instanceOf: TransportError }))
  await until('both are in flight', () => signals.length === 2)
  await server.close({ grace: 50 })
  for (const error of await Promise.all(calls)) t.like(error, { code: 'UNAVAILABLE', sent: 'maybe' })
  await until('the handlers are told', () => signals.every((signal) => signal.aborted))
  t.is(server.stats().connections, 0)
  t.is(server.stats().abandoned, 2)
  accounted(t, server)
})
