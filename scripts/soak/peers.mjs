/**
 * Peers of the server in a soak run that no client would be: slow to read, slow to write, gone in the middle of a call, sending garbage.
 * `peers.mjs ADDRESS SEED`. Question: `finish`.
 */
import { connect } from 'node:net'
import process from 'node:process'
import { setTimeout as wait } from 'node:timers/promises'

import { built } from '../lib/built.mjs'
import { answering } from './usage.mjs'

const { seeded } = await built('tests/soundness/random.js')
const { echoBinary, framed, message, MessageType, ping } = await built('tests/faults/wire.js')

const [address, seed] = process.argv.slice(2)
const [host, port] = address.split(':')
const random = seeded(Number(seed))
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
  framed(
    message(MessageType.CALL, 'toString', 1, ping(`${5 + Math.floor(random.below(9))} ms `.slice(0, 5)).subarray(-13)),
  )

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
    const end = random.below(2) < 1 ? bytes.length : Math.floor(random.below(bytes.length))
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
  // Garbage: noise, and frames that break off or lie about their length.
  async () => {
    const socket = await open()
    socket.resume()
    const good = framed(echoBinary(Buffer.alloc(2000)))
    const lengths = [-1, 0x7fffffff, 20 << 20, 3]
    const bytes = random.of([
      Buffer.from(Array.from({ length: 200 }, () => random.below(256))),
      good.subarray(0, Math.floor(random.below(good.length))),
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
