/** Clients call peers that answer wrongly, not at all, or go away. */
import test, { type ExecutionContext } from 'ava'
import { ThriftProtocolError, TransportError } from 'volo-js/thrift'
import { peer, type Raw } from './raw.js'
import { clientOf } from './subject.js'
import { framed, i32, MessageType, message, ping, pong, struct, text, field, Type } from './wire.js'

const modes = ['pool', 'pipelined'] as const

function client(t: ExecutionContext, address: string, mode: (typeof modes)[number]) {
  return clientOf(t, address, (builder) => (mode === 'pipelined' ? builder.pipelined() : builder))
}

/** Answers pings as it should. */
async function behave(raw: Raw): Promise<void> {
  while (raw.ended === undefined) {
    const { sequence, body } = await raw.message()
    const length = body.readInt32BE(3)
    raw.send(framed(pong(body.toString('utf8', 7, 7 + length), sequence)))
  }
}

/** What is no answer, or one that cannot be. */
const wrong: Record<string, readonly [bytes: (sequence: number) => Buffer, reason: RegExp]> = {
  'an oversized frame': [() => i32(16 * 2 ** 20 + 1), /exceeds the limit of 16777216/],
  'a frame of negative length': [() => i32(-1), /negative length/],
  'a response of HTTP': [() => Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), /not valid Thrift/],
  'a name of negative length': [(n) => framed(message(MessageType.REPLY, 'Ping', n, struct(), -1)), /not valid/],
  'a call': [(n) => framed(ping('text', n)), /a call where a reply was expected/],
  'an answer to another call': [(n) => framed(pong('text', n + 1)), /sequence id 2, which was not asked/],
  'a text of negative length': [
    (n) => framed(message(MessageType.REPLY, 'Ping', n, struct(field(Type.STRING, 0, text('text', -1))))),
    /the reply of Ping is not valid/,
  ],
  'a text longer than its frame': [
    (n) => framed(message(MessageType.REPLY, 'Ping', n, struct(field(Type.STRING, 0, text('text', 2 ** 30))))),
    /the reply of Ping is not valid/,
  ],
  'a message cut short in its frame': [
    (n) => framed(pong('text', n).subarray(0, -3)),
    /the reply of Ping is not valid/,
  ],
}

for (const mode of modes) {
  for (const [name, [bytes, reason]] of Object.entries(wrong)) {
    test(`${name} for an answer fails the call, and the next one has a new connection, ${mode}`, async (t) => {
      const address = await peer(t, async (raw, nth) => {
        if (nth > 0) return behave(raw)
        raw.send(bytes((await raw.message()).sequence))
        await raw.end()
      })
      const it = client(t, address, mode)
      const error = await t.throwsAsync(it.ping('first'), { instanceOf: ThriftProtocolError })
      t.is(error.code, 'INTERNAL')
      t.not(error.sent, 'no')
      t.regex(error.message, reason)
      t.true(error.message.startsWith(`Everything.Ping on ${address} failed: `), error.message)
      t.is(await it.ping('second'), 'second')
    })
  }

  for (const [how, leave] of Object.entries({
    resets: (raw: Raw) => raw.reset(),
    closes: (raw: Raw) => raw.half(),
  })) {
    for (const written of ['nothing', 'half'] as const) {
      test(`a peer ${how} with ${written} of the reply sent: the call may have been processed, ${mode}`, async (t) => {
        const address = await peer(t, async (raw, nth) => {
          if (nth > 0) return behave(raw)
          const reply = framed(pong('first', (await raw.message()).sequence))
          if (written === 'half') {
            raw.send(reply.subarray(0, reply.length / 2))
            await new Promise((resolve) => setTimeout(resolve, 20))
          }
          leave(raw)
        })
        const it = client(t, address, mode)
        const error = await t.throwsAsync(it.ping('first'), { instanceOf: TransportError })
        t.like(error, { code: 'UNAVAILABLE', sent: 'maybe' })
        t.is(await it.ping('second'), 'second')
      })
    }
  }

  test(`an answer that comes a byte at a time is read, framed and buffered, ${mode}`, async (t) => {
    for (const transport of ['framed', 'buffered'] as const) {
      const wrap = transport === 'framed' ? framed : (bytes: Buffer) => bytes
      const value = 'ü🎈'.repeat(500)
      const address = await peer(t, async (raw) => {
        await raw.bytes(wrap(ping(value)).length)
        await raw.trickle(wrap(pong(value, 1)))
      })
      const it = clientOf(t, address, (builder) =>
        (mode === 'pipelined' ? builder.pipelined() : builder).transport(transport),
      )
      t.is(await it.ping(value), value)
    }
  })

  test(`an answer over the limit of the client fails its call and says which limit, ${mode}`, async (t) => {
    const address = await peer(t, async (raw, nth) => {
      if (nth > 0) return behave(raw)
      raw.send(framed(pong('x'.repeat(5000), (await raw.message()).sequence)))
      await raw.end()
    })
    const it = clientOf(t, address, (builder) =>
      (mode === 'pipelined' ? builder.pipelined() : builder).options({ maxFrameSize: '4KiB' }),
    )
    const error = await t.throwsAsync(it.ping('first'), { instanceOf: ThriftProtocolError })
    t.regex(error.message, /exceeds the limit of 4096/)
    t.not(error.sent, 'no')
    t.is(await it.ping('second'), 'second')
  })
}

test('pipelined calls behind the one whose reply breaks off fail with it; each says what may have become of it', async (t) => {
  const address = await peer(t, async (raw, nth) => {
    if (nth > 0) return behave(raw)
    const sequences = [await raw.message(), await raw.message(), await raw.message()].map((call) => call.sequence)
    raw.send(framed(pong('0', sequences[0])), framed(pong('1', sequences[1])).subarray(0, 10))
    await new Promise((resolve) => setTimeout(resolve, 20))
    raw.reset()
  })
  const it = client(t, address, 'pipelined')
  const outcomes = await Promise.allSettled(['0', '1', '2'].map((value) => it.ping(value)))
  t.deepEqual(outcomes[0], { status: 'fulfilled', value: '0' })
  for (const outcome of outcomes.slice(1)) {
    t.is(outcome.status, 'rejected')
    t.like((outcome as PromiseRejectedResult).reason, { code: 'UNAVAILABLE', sent: 'maybe' })
  }
  t.is(await it.ping('3'), '3')
})

test('pipelined answers are told apart by sequence id, whatever order they come in', async (t) => {
  const address = await peer(t, async (raw) => {
    const calls = [await raw.message(), await raw.message(), await raw.message()]
    for (const [n, { sequence }] of [...calls.entries()].reverse()) raw.send(framed(pong(`${n}`, sequence)))
    await behave(raw)
  })
  const it = client(t, address, 'pipelined')
  t.deepEqual(await Promise.all(['0', '1', '2'].map((value) => it.ping(value))), ['0', '1', '2'])
  t.is(await it.ping('3'), '3')
})
