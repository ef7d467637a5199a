/** Servers are sent what is no request. The connection ends, with a reason for the operator; nothing else does. */
import { createHash } from 'node:crypto'
import test from 'ava'
import { Raw } from './raw.js'
import { serve } from './subject.js'
import { MessageType, Type, echoBinary, field, framed, i32, message, ping, pong, struct, text } from './wire.js'

const { CALL, REPLY } = MessageType

/** Bytes that look like nothing, the same in every run. */
const noise = Buffer.concat(Array.from({ length: 64 }, (_, n) => createHash('sha256').update(`${n}`).digest()))

/** A call of `Ping` whose argument has a wrong length. */
const pingOfLength = (length: number) => message(CALL, 'Ping', 1, struct(field(Type.STRING, 1, text('text', length))))

/** A call of `EchoList` with `count` texts, none of which is there. */
const listOf = (count: number) =>
  message(CALL, 'EchoList', 1, struct(field(Type.LIST, 1, Buffer.concat([Buffer.from([Type.STRING]), i32(count)]))))

const endless: Record<string, readonly [bytes: Buffer, event: RegExp]> = {
  'an oversized frame': [i32(16 * 2 ** 20 + 1), /exceeds the limit of 16777216/],
  'a frame of 2 GiB': [i32(0x7fffffff), /exceeds the limit/],
  'a negative first length': [i32(-1), /not Thrift/],
  'a frame too short for a message': [
    Buffer.concat([framed(ping('good')), framed(Buffer.alloc(5))]),
    /5 bytes cannot hold a message/,
  ],
  'a negative length after a good frame': [Buffer.concat([framed(ping('good')), i32(-2147483648)]), /negative length/],
  'an oversized frame after a good one': [
    Buffer.concat([framed(ping('good')), i32(2 ** 30)]),
    /1073741824 bytes or more exceeds the limit/,
  ],
  'a negative length of a name, framed': [framed(message(CALL, 'Ping', 1, struct(), -1)), /name/],
  'a negative length of a name, buffered': [message(CALL, 'Ping', 1, struct(), -1), /name has a negative length/],
  'a name longer than its frame': [framed(message(CALL, 'Ping', 1, struct(), 1000)), /malformed/],
  'a negative length of a text, buffered': [pingOfLength(-1), /string or binary has a negative length/],
  'a text of 2 GiB, buffered': [pingOfLength(0x7fffffff), /exceeds the limit/],
  'a list of negative size, buffered': [listOf(-1), /container has a negative size/],
  'a list of 2 Gi texts, buffered': [listOf(0x7fffffff), /exceeds the limit/],
  'an unknown type, buffered': [message(CALL, 'Ping', 1, field(99, 1, i32(0))), /no known type/],
  'a reply': [framed(message(REPLY, 'Ping', 1, struct())), /a reply where a call was expected/],
  'a request of HTTP': [Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'), /look like HTTP/],
  'a hello of TLS': [Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00]), /look like TLS/],
  'JSON gone wrong': [Buffer.from('[1,"Ping",1,0,{"1":{"str":"text"}}}'), /malformed|not Thrift/],
  'the compact protocol gone wrong': [framed(Buffer.concat([Buffer.from([0x82, 0x21]), noise])), /malformed/],
  'a TTHeader gone wrong': [framed(Buffer.concat([Buffer.from([0x10, 0x00]), noise])), /malformed|TTHeader/],
  'a THeader gone wrong': [framed(Buffer.concat([Buffer.from([0x0f, 0xff]), noise])), /malformed|THeader/],
  noise: [noise, /not Thrift|exceeds the limit/],
}

for (const [name, [bytes, event]] of Object.entries(endless)) {
  test.serial(`${name} ends the connection and says why`, async (t) => {
    const { server, events, unharmed } = await serve(t)
    const raw = await Raw.to(t, server.address)
    raw.send(bytes)
    // What came before it in good order may be answered or not; the connection is over either way.
    await raw.end()
    await unharmed()
    t.is(events.length, 1, events.join('\n'))
    t.regex(events[0], event)
    t.regex(events[0], /^closed the connection of 127\.0\.0\.1:\d+: /)
    t.is(server.stats().protocolErrors, 1)
  })
}

const answered: Record<string, readonly [bytes: Buffer, reason: RegExp]> = {
  'a negative length of a text': [framed(pingOfLength(-1)), /malformed/],
  'a text longer than its frame': [framed(pingOfLength(0x7fffffff)), /malformed/],
  'a list of negative size': [framed(listOf(-1)), /negative/],
  'a list of 2 Gi texts': [framed(listOf(0x7fffffff)), /malformed/],
  'an unknown type': [framed(message(CALL, 'Ping', 1, field(99, 1, i32(0)))), /malformed/],
  'bytes behind the message in its frame': [framed(Buffer.concat([ping('text'), noise])), /bytes follow/],
  'a message cut short in its frame': [framed(ping('text').subarray(0, -3)), /malformed/],
}

for (const [name, [bytes, reason]] of Object.entries(answered)) {
  test.serial(`${name}, framed, is answered with PROTOCOL_ERROR, and the connection ends`, async (t) => {
    const { server, events, unharmed } = await serve(t)
    const raw = await Raw.to(t, server.address)
    raw.send(bytes)
    const { type, sequence, body } = await raw.message()
    t.is(type, MessageType.EXCEPTION)
    t.is(sequence, 1)
    t.regex(body.toString('latin1'), reason)
    t.true(body.includes(field(Type.I32, 2, i32(7))), 'type PROTOCOL_ERROR')
    await raw.end()
    await unharmed()
    t.is(events.length, 1)
    t.is(server.stats().protocolErrors, 1)
  })
}

test.serial('calls with any byte changed harm nobody, framed and buffered', async (t) => {
  const { server, unharmed } = await serve(t)
  const tree = struct(
    field(Type.STRING, 1, text('root')),
    field(Type.STRUCT, 2, struct(field(Type.STRING, 1, text('child')))),
    field(Type.LIST, 3, Buffer.concat([Buffer.from([Type.STRUCT]), i32(1), struct(field(Type.STRING, 1, text('')))])),
  )
  const call = message(CALL, 'EchoTree', 1, struct(field(Type.STRUCT, 1, tree)))
  for (const wrap of [framed, (bytes: Buffer) => bytes]) {
    const whole = wrap(call)
    // From the name on: another version is another test, and of a changed kind of message there would be no answer to count.
    const begin = whole.length - call.length + 4
    for (let at = begin; at < whole.length; at += 1) {
      const changed = Buffer.from(whole)
      changed[at] ^= 1 << (noise[at] & 7)
      const raw = await Raw.to(t, server.address)
      raw.send(changed)
      raw.half()
      await raw.end()
    }
  }
  await unharmed()
  t.true(server.stats().protocolErrors > 20)
})

test.serial('a missing required field and an unknown method are answered, and the connection lives', async (t) => {
  const { server, events, unharmed } = await serve(t)
  const raw = await Raw.to(t, server.address)
  // EchoTree takes a Tree, whose label is required.
  raw.send(framed(message(CALL, 'EchoTree', 1, struct(field(Type.STRUCT, 1, struct())))))
  raw.send(framed(message(CALL, 'Nowhere', 2, struct(field(Type.STRING, 1, text('skipped'))))))
  raw.send(framed(ping('still there', 3)))
  const missing = await raw.message()
  t.is(missing.type, MessageType.EXCEPTION)
  t.is(missing.name, 'EchoTree')
  t.regex(missing.body.toString('latin1'), /required field label of Tree is missing/)
  t.true(missing.body.includes(field(Type.I32, 2, i32(7))), 'type PROTOCOL_ERROR')
  const unknown = await raw.message()
  t.is(unknown.type, MessageType.EXCEPTION)
  t.is(unknown.name, 'Nowhere')
  t.is(unknown.sequence, 2)
  t.true(unknown.body.includes(field(Type.I32, 2, i32(1))), 'type UNKNOWN_METHOD')
  t.deepEqual(framed(await raw.bytes(pong('still there', 3).length + 4)).subarray(4), framed(pong('still there', 3)))
  raw.half()
  await raw.end()
  await unharmed()
  t.deepEqual(events, [])
  t.is(server.stats().unknownMethods, 1)
})

test.serial('a text that is not UTF-8 is mended, or refused where that is asked for', async (t) => {
  const invalid = framed(message(CALL, 'Ping', 1, struct(field(Type.STRING, 1, Buffer.from([0, 0, 0, 2, 0xff, 0x61])))))
  for (const strictUtf8 of [false, true]) {
    const { server, events, unharmed } = await serve(t, {}, { strictUtf8 })
    const raw = await Raw.to(t, server.address)
    raw.send(invalid, framed(ping('still there', 2)))
    const { type, body } = await raw.message()
    t.is(type, strictUtf8 ? MessageType.EXCEPTION : REPLY)
    t.true(body.includes(strictUtf8 ? 'not valid UTF-8' : '\u{FFFD}a'))
    t.is((await raw.message()).sequence, 2)
    raw.half()
    await raw.end()
    await unharmed()
    t.deepEqual(events, [])
    await server.close({ grace: 0 })
  }
})

test.serial('an unknown oneway method is passed over', async (t) => {
  const { server, events } = await serve(t)
  const raw = await Raw.to(t, server.address)
  raw.send(framed(message(MessageType.ONEWAY, 'Nowhere', 1, struct())), framed(ping('next', 2)))
  t.is((await raw.message()).sequence, 2)
  t.is(server.stats().unknownMethods, 1)
  t.deepEqual(events, [])
})

for (const [name, bytes] of Object.entries({
  framed: framed(ping('text')).subarray(0, -2),
  buffered: ping('text').subarray(0, -2),
  'in the length of a frame': i32(100).subarray(0, 3),
})) {
  test.serial(`a truncated message, ${name}, is counted and told of when its peer has closed`, async (t) => {
    const { server, events, unharmed } = await serve(t)
    const raw = await Raw.to(t, server.address)
    raw.send(bytes)
    raw.half()
    await raw.end()
    await unharmed()
    t.is(server.stats().protocolErrors, 1)
    t.is(events.length, 1)
  })
}

test.serial('a frame that is not complete in time ends its connection', async (t) => {
  const { server, events, unharmed } = await serve(t, {}, { frameTimeout: 50 })
  const raw = await Raw.to(t, server.address)
  raw.send(framed(ping('text')).subarray(0, -2))
  await raw.end()
  await unharmed()
  t.is(server.stats().frameTimeouts, 1)
  t.is(events.length, 1)
  t.regex(events[0], /a frame was not complete after 50ms/)
})

test.serial('an incomplete request may not exceed the memory budget', async (t) => {
  const { server, events, unharmed } = await serve(t, {}, { memoryBudget: '256KiB' })
  const raw = await Raw.to(t, server.address)
  raw.send(framed(echoBinary(Buffer.alloc(2 ** 20))).subarray(0, -1))
  await raw.end()
  await unharmed()
  t.is(events.length, 1)
  t.regex(events[0], /memory budget/)
})

test.serial('connections beyond the limit are closed at once', async (t) => {
  const { server, unharmed } = await serve(t, {}, { maxConnections: 2 })
  const first = await Raw.to(t, server.address)
  const second = await Raw.to(t, server.address)
  await second.end()
  t.is(server.stats().refused, 1)
  first.send(framed(ping('let in')))
  t.is((await first.message()).type, REPLY)
  first.half()
  await first.end()
  await unharmed()
})
