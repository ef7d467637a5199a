/**
 * Large binaries, which are read into memory of their own and written from where they lie: whatever the peer does meanwhile, they arrive as they
 * were when they were handed over, and nothing else changes with them.
 */
import { randomFillSync } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import test from 'ava'
import { TapeTypeError } from 'volo-js'
import type { ThriftProtocol, ThriftTransport } from 'volo-js/thrift'
import { Raw } from './raw.js'
import { clientOf, serve } from './subject.js'
import { until } from './until.js'
import { echoBinary, framed, ping, text } from './wire.js'

const KIB = 1024
const MIB = 1024 * KIB

/** Bytes that are the same nowhere else. */
function random(size: number): Buffer {
  return randomFillSync(Buffer.allocUnsafeSlow(size))
}

/** Those arguments of `EchoScalars` that are never large. */
const small = { a: true, b: 1, c: 2, d: 3, e: 4, f: 5n, g: 6.5 }

const wires: readonly (readonly [ThriftTransport, ThriftProtocol])[] = [
  ['framed', 'binary'],
  ['framed', 'compact'],
  ['framed', 'json'],
  ['buffered', 'binary'],
  ['buffered', 'compact'],
  ['ttheader', 'binary'],
  ['ttheader-framed', 'compact'],
  ['header', 'binary'],
  ['header-framed', 'compact'],
]
// Around what is lent, what has memory of its own, what is received at once, and what waits for a part of it.
const sizes = [64 * KIB - 40, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, 200 * KIB, MIB, MIB + 64 * KIB, 3 * MIB, 9 * MIB]

for (const [transport, protocol] of wires) {
  test(`binaries of every size come back in ${protocol} over ${transport}`, async (t) => {
    const { server, unharmed } = await serve(t)
    for (const mode of ['pool', 'pipelined'] as const) {
      const client = clientOf(t, server.address, (builder) => {
        const wired = builder.transport(transport).protocol(protocol)
        return mode === 'pool' ? wired : wired.pipelined()
      })
      for (const size of [...sizes, ...sizes.toReversed()]) {
        const data = random(size)
        t.is(Buffer.compare(await client.echoBinary(data), data), 0, `${size} bytes, ${mode}`)
      }
      const many = Array.from({ length: 12 }, (_, n) => random(n % 3 === 0 ? 10 : 100 * KIB + n))
      const back = await Promise.all(many.map((data) => client.echoBinary(data)))
      many.forEach((data, n) => t.is(Buffer.compare(back[n], data), 0, `number ${n}, ${mode}`))
      await client[Symbol.asyncDispose]()
    }
    await unharmed()
  })
}

test('compressed messages with large binaries come back', async (t) => {
  const { server, unharmed } = await serve(t)
  const client = clientOf(t, server.address, (builder) => builder.transport('header').options({ zlib: true }))
  for (const data of [Buffer.alloc(2 * MIB, 'volo'), random(2 * MIB)]) {
    t.is(Buffer.compare(await client.echoBinary(data), data), 0)
  }
  await client[Symbol.asyncDispose]()
  await unharmed()
})

test('an array may be changed as soon as it was handed over, on either side', async (t) => {
  const kept: Uint8Array[] = []
  const { server, unharmed } = await serve(t, {
    echoBinary: (data) => {
      kept.push(data)
      // After this handler is through, before anything else is done.
      queueMicrotask(() => data.fill(0))
      return data
    },
  })
  const client = clientOf(t, server.address)
  for (const size of [100 * KIB, 6 * MIB]) {
    const data = random(size)
    const copy = Buffer.from(data)
    const answer = client.echoBinary(data)
    data.fill(1)
    t.is(Buffer.compare(await answer, copy), 0, `${size} bytes`)
  }
  t.true(kept.every((data) => data.every((byte) => byte === 0)))
  await client[Symbol.asyncDispose]()
  await unharmed()
})

test('what a handler keeps is its own: later calls do not change it', async (t) => {
  const kept: Uint8Array[] = []
  const { server } = await serve(t, {
    echoBinary: (data) => {
      kept.push(data)
      return data
    },
  })
  const client = clientOf(t, server.address)
  const sent = Array.from({ length: 20 }, () => random(300 * KIB))
  for (const data of sent) await client.echoBinary(data)
  sent.forEach((data, n) => t.is(Buffer.compare(kept[n], data), 0, `number ${n}`))
  t.is(new Set(kept.map((data) => data.buffer)).size, kept.length)
  t.true(kept.every((data) => Object.getPrototypeOf(data) === Uint8Array.prototype))
})

test('large and small binaries of one message stand where they belong, and small ones keep nothing large alive', async (t) => {
  const { server, unharmed } = await serve(t)
  const client = clientOf(t, server.address)
  const texts = ['ż'.repeat(90_000), 'a'.repeat(200_000), '', '€']
  t.deepEqual(await client.echoList(texts), texts)
  const scalars = { ...small, h: 'ż'.repeat(70_000), i: random(500 * KIB), j: 1 as const }
  const { data, text: said } = await client.echoScalars(scalars)
  t.is(Buffer.compare(data, scalars.i), 0)
  t.is(said, scalars.h)
  const copied = await client.echoScalars({ ...scalars, i: random(10), h: 'x'.repeat(100 * KIB) })
  t.is(copied.data.buffer.byteLength, 10)
  await client[Symbol.asyncDispose]()
  await unharmed()
})

test('a peer that reads slowly gets all of it, and one that is gone costs nothing', async (t) => {
  const { server, unharmed } = await serve(t)
  const slow = await Raw.to(t, server.address)
  const data = random(12 * MIB)
  slow.socket.pause()
  slow.send(framed(echoBinary(data, 1)), framed(ping('behind it', 2)))
  await until('it is being answered', () => server.stats().calls >= 2)
  await sleep(50)
  slow.socket.resume()
  const answer = await slow.message()
  t.is(answer.sequence, 1)
  t.is(Buffer.compare(answer.body.subarray(7, 7 + data.length), data), 0)
  t.is((await slow.message()).sequence, 2)
  slow.half()
  const gone = await Raw.to(t, server.address)
  gone.socket.pause()
  gone.send(framed(echoBinary(data, 1)))
  await until('the other one is being answered', () => server.stats().calls >= 3)
  gone.reset()
  await unharmed()
})

test('a message that comes in any pieces is the same', async (t) => {
  const { server, unharmed } = await serve(t)
  const peer = await Raw.to(t, server.address)
  const data = random(150 * KIB)
  const bytes = framed(echoBinary(data))
  // So that it is expected to be as large.
  peer.send(bytes)
  t.is(Buffer.compare((await peer.message()).body.subarray(7, 7 + data.length), data), 0)
  for (const cuts of [
    [1],
    [3],
    [4],
    [5, 70 * KIB],
    [64 * KIB, 64 * KIB + 1],
    [bytes.length - 1],
    [20, 21, 22, 140 * KIB],
  ]) {
    let from = 0
    for (const cut of [...cuts, bytes.length]) {
      peer.send(bytes.subarray(from, cut))
      from = cut
      await sleep(3)
    }
    t.is(Buffer.compare((await peer.message()).body.subarray(7, 7 + data.length), data), 0, `cut at ${cuts.join(', ')}`)
  }
  // A small one where a large one was expected, a small and a large one at once, and one of another size.
  peer.send(framed(ping('small')))
  t.is((await peer.message()).name, 'Ping')
  peer.send(bytes)
  await peer.message()
  const other = random(170 * KIB)
  peer.send(framed(ping('small', 2)), framed(echoBinary(other, 3)), framed(ping('small', 4)))
  t.deepEqual(
    [(await peer.message()).sequence, (await peer.message()).sequence, (await peer.message()).sequence],
    [2, 3, 4],
  )
  peer.half()
  t.is(await peer.end(), 'end')
  await unharmed()
})

test('what a peer announces and never sends is neither waited for without end nor taken for sent', async (t) => {
  const { server, events, unharmed } = await serve(t, {}, { frameTimeout: 300 })
  const begun = framed(echoBinary(random(500 * KIB)))
  const slow = await Raw.to(t, server.address)
  slow.send(begun.subarray(0, 300 * KIB))
  const short = await Raw.to(t, server.address)
  short.send(begun.subarray(0, 300 * KIB))
  short.half()
  await until('half a message is told', () => events.some((event) => event.includes('in the middle of a message')))
  t.not(await slow.end(), undefined)
  t.is(server.stats().frameTimeouts, 1)
  // One that says that it is larger than it is.
  const wrong = await Raw.to(t, server.address)
  const body = echoBinary(random(100 * KIB))
  body.set(text('', 200 * KIB), body.length - 100 * KIB - 5)
  wrong.send(framed(body))
  t.not(await wrong.end(), undefined)
  await unharmed()
})

test('memory that may change by itself is copied, and memory that is taken away is an error of its call', async (t) => {
  const { server, unharmed } = await serve(t)
  const client = clientOf(t, server.address)
  const shared = new Uint8Array(new SharedArrayBuffer(100 * KIB)).fill(7)
  t.is(Buffer.compare(await client.echoBinary(shared), shared), 0)
  const foreign = runInNewContext('new Uint8Array(100 * 1024).fill(9)') as Uint8Array
  t.is(Buffer.compare(await client.echoBinary(foreign), foreign), 0)
  const taken = new Uint8Array(100 * KIB)
  const all = {
    ...small,
    h: '',
    i: taken,
    get j() {
      structuredClone(taken, { transfer: [taken.buffer] })
      return 1 as const
    },
  }
  await t.throwsAsync(client.echoScalars(all), { instanceOf: TapeTypeError, message: /transferred/ })
  t.is(await client.ping('still here'), 'still here')
  await client[Symbol.asyncDispose]()
  await unharmed()
})

test.serial('what is over is given back', async (t) => {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  const { server } = await serve(t)
  const client = clientOf(t, server.address)
  const data = random(MIB)
  for (let n = 0; n < 20; n++) await client.echoBinary(data)
  gc()
  await sleep(20)
  gc()
  const before = process.memoryUsage().arrayBuffers
  for (let n = 0; n < 300; n++) await client.echoBinary(data)
  gc()
  await sleep(20)
  gc()
  const grown = process.memoryUsage().arrayBuffers - before
  t.true(grown < 16 * MIB, `${Math.round(grown / MIB)} MiB of 600 are still there`)
})
