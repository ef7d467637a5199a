/**
 * Peers of the server in a soak run that no client would be: slow to read, slow to write, gone in the middle of a call or a stream, sending garbage.
 * `peers.mjs ADDRESS SEED`. Question: `finish`.
 */
import { connect as connectHttp2, constants } from 'node:http2'
import { connect } from 'node:net'
import process from 'node:process'
import { setTimeout as wait } from 'node:timers/promises'

import { built } from '../lib/built.mjs'
import { random, whole } from './random.mjs'
import { answering } from './usage.mjs'

const { echoBinary, framed, message, MessageType, ping } = await built('tests/faults/wire.js')

const [address] = process.argv.slice(2)
const [host, port] = address.split(':')
let over = false

/**
 * A connection, or one that could not be made and is closed.
 * @returns {Promise<import('node:net').Socket>}
 */
function open() {
  const socket = connect({ host, port: Number(port) })
  // How a connection ends is what is tried here; the server says what it makes of it.
  socket.on('error', () => undefined)
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(socket))
    socket.once('close', () => resolve(socket))
  })
}

/** `toString` of a text that is answered after some milliseconds. */
const late = () =>
  framed(message(MessageType.CALL, 'toString', 1, ping(`${5 + whole(9)} ms `.slice(0, 5)).subarray(-13)))

/** A message of gRPC that asks for two messages of a hundred bytes, two milliseconds apart (StreamingOutputCallRequest). */
const ASKS_FOR_TWO = Buffer.from('000000000e1205086410d00f1205086410d00f', 'hex')

/** Ways to reset a stream. */
const RESETS = [
  constants.NGHTTP2_NO_ERROR,
  constants.NGHTTP2_CANCEL,
  constants.NGHTTP2_INTERNAL_ERROR,
  constants.NGHTTP2_REFUSED_STREAM,
]

/** @type {readonly (() => Promise<void>)[]} */
const steps = [
  // Asks for a lot and reads it in small pieces.
  async () => {
    const socket = await open()
    socket.pause()
    for (let n = 0; n < 20; n += 1) socket.write(framed(echoBinary(Buffer.alloc(50_000), n)))
    for (let n = 0; n < 20; n += 1) {
      await wait(10)
      socket.read(20_000)
    }
    socket.resetAndDestroy()
  },
  // A byte at a time, and perhaps not to the end.
  async () => {
    const socket = await open()
    const bytes = framed(ping('slowly'))
    const end = random.below(2) < 1 ? bytes.length : whole(bytes.length)
    for (const byte of bytes.subarray(0, end)) {
      socket.write(Buffer.from([byte]))
      await wait(1)
    }
    socket.resume()
    if (random.below(2) < 1) socket.end()
    await wait(20)
    socket.destroy()
  },
  // Gone while its calls are handled, or while they are answered.
  async () => {
    const socket = await open()
    for (let n = 0; n < 1 + random.below(50); n += 1) socket.write(late())
    await wait(random.below(15))
    if (random.below(2) < 1) socket.resetAndDestroy()
    else socket.destroy()
  },
  // Connections that come and go, with and without a call.
  async () => {
    const sockets = await Promise.all(Array.from({ length: 20 }, open))
    for (const socket of sockets) {
      if (random.below(2) < 1) socket.write(framed(ping('bye')))
      socket.resume()
      socket.end()
    }
    await wait(10)
    for (const socket of sockets) socket.destroy()
  },
  // Streams that are reset before, while and after they are answered, on a connection that ends in one way or another.
  async () => {
    const session = connectHttp2(`http://${address}`)
    session.on('error', () => undefined)
    const streams = Array.from({ length: 1 + whole(20) }, () => {
      const stream = session.request({
        ':method': 'POST',
        ':path': '/grpc.testing.TestService/StreamingOutputCall',
        'content-type': 'application/grpc',
        te: 'trailers',
      })
      stream.on('error', () => undefined)
      stream.resume()
      if (random.below(4) < 3) stream.end(ASKS_FOR_TWO)
      return stream
    })
    await wait(random.below(15))
    for (const stream of streams) {
      if (random.below(4) < 3) stream.close(random.of(RESETS))
    }
    if (random.below(2) < 1) session.goaway()
    await wait(random.below(5))
    session.destroy()
  },
  // Garbage: noise, and frames that break off or lie about their length.
  async () => {
    const socket = await open()
    socket.resume()
    const good = framed(echoBinary(Buffer.alloc(2000)))
    const lengths = [-1, 0x7fffffff, 20 << 20, 3]
    const bytes = random.of([
      Buffer.from(Array.from({ length: 200 }, () => random.below(256))),
      good.subarray(0, whole(good.length)),
      framed(ping('text'), random.of(lengths)),
      Buffer.concat([framed(ping('good')), Buffer.from('GET / HTTP/1.1\r\n\r\n')]),
    ])
    socket.write(bytes)
    await wait(5)
    socket.destroy()
  },
]

const lanes = steps.map(async (step) => {
  while (!over) {
    await step()
    await wait(random.below(20))
  }
})

answering({
  finish: async () => {
    over = true
    await Promise.all(lanes)
    setImmediate(() => process.disconnect())
    return true
  },
})
process.stdout.write('listening on nothing\n')
