import test from 'ava'
import { TapeRangeError } from './errors.js'
import { ASCII, ELSEWHERE, IN_BYTES } from './layout.js'
import { InTape } from './reader.js'

/** A tape with two messages that share a text chunk, and one with a chunk of its own. */
function tapeOf(): InTape {
  const slots = new BigInt64Array(64)
  const i32 = new Int32Array(slots.buffer)
  const text = Buffer.from('helloworldOTHER')
  const bytes = Buffer.from('héllo|ascii|\xff\xfe|', 'latin1')
  i32[0] = 16
  // The first message of a chunk knows its whole length, the second only as much as there was then.
  i32.set([1, 5, 0, 0, 0, 0, 0, 10, 0, 5], 2 * 1)
  i32.set([1, 5, 0, 0, 0, 0, 0, 10, 5, 5], 2 * 6)
  i32.set([1, 5, 0, 0, 0, 0, 10, 5, 0, 5], 2 * 11)
  return new InTape(slots, text, bytes)
}

test('messages read their strings from the chunk they share', (t) => {
  const tape = tapeOf()
  t.is(tape.open(), 16)
  const texts = [1, 6, 11, 6].map((p) => {
    tape.begin(p)
    return tape.string(p + 4)
  })
  t.deepEqual(texts, ['hello', 'world', 'OTHER', 'world'])
})

test('a delivery forgets the text of the one before', (t) => {
  const tape = tapeOf()
  tape.open()
  tape.begin(1)
  tape.buffers[1].set(Buffer.from('HELLO'))
  tape.begin(1)
  t.is(tape.string(5), 'hello', 'within a delivery the text does not change')
  tape.open()
  tape.begin(1)
  t.is(tape.string(5), 'HELLO')
})

test('other strings lie in bytes, as ASCII or UTF-8; what is not UTF-8 becomes U+FFFD', (t) => {
  const utf8 = Buffer.from('héllo')
  const tape = new InTape(
    new BigInt64Array(8),
    new Uint8Array(),
    Buffer.concat([utf8, Buffer.from('ascii'), Buffer.from([0x61, 0xff])]),
  )
  tape.i32.set([0, utf8.length | IN_BYTES], 2)
  tape.i32.set([utf8.length, 5 | IN_BYTES | ASCII], 4)
  tape.i32.set([utf8.length + 5, 2 | IN_BYTES], 6)
  t.deepEqual([tape.string(1), tape.string(2), tape.string(3)], ['héllo', 'ascii', 'a\ufffd'])
})

test('a binary is a copy', (t) => {
  const bytes = Buffer.from('0123456789')
  const tape = new InTape(new BigInt64Array(4), new Uint8Array(), bytes)
  tape.i32.set([2, 3], 2)
  const binary = tape.binary(1)
  bytes.fill(0)
  t.is(Object.getPrototypeOf(binary), Uint8Array.prototype)
  t.deepEqual(binary, new Uint8Array(Buffer.from('234')))
  t.is(binary.buffer.byteLength, 3, 'it keeps nothing else alive')
})

test('a 64-bit integer becomes a number only if it can', (t) => {
  const tape = new InTape(new BigInt64Array(4), new Uint8Array(), new Uint8Array())
  for (const value of [0n, 1n, -1n, 2n ** 53n - 1n, -(2n ** 53n) + 1n, -4294967296n, 4294967295n]) {
    tape.i64[1] = value
    t.is(tape.safeInteger(1, 'Item.id'), Number(value))
  }
  for (const value of [2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n)]) {
    tape.i64[1] = value
    const error = t.throws(() => tape.safeInteger(1, 'Item.id'), { instanceOf: TapeRangeError })
    t.is(error.message, `Item.id: ${value} has no exact number; build with --i64 bigint to read it`)
  }
})

test('other buffers can be adopted between deliveries', (t) => {
  const tape = tapeOf()
  tape.open()
  tape.begin(1)
  const slots = new BigInt64Array(32)
  tape.adopt(slots, Buffer.from('later'), new Uint8Array(1))
  new Int32Array(slots.buffer).set([6], 0)
  new Int32Array(slots.buffer).set([1, 5, 0, 0, 0, 0, 0, 5, 0, 5], 2)
  t.is(tape.open(), 6)
  tape.begin(1)
  t.is(tape.string(5), 'later')
  t.is(tape.buffers[0], slots)
})

test('a large binary is a view of the array that came with its delivery', (t) => {
  const tape = new InTape(new BigInt64Array(8), new Uint8Array(), new Uint8Array())
  const arrays = [Buffer.from('the first one'), Buffer.from('another one')]
  // Two slots behind: array 1 from byte 2 on.
  tape.i32.set([ELSEWHERE | 2, 5], 2)
  tape.i32.set([1, 2], 6)
  tape.open(arrays)
  const binary = tape.binary(1)
  t.is(Object.getPrototypeOf(binary), Uint8Array.prototype)
  t.is(Buffer.from(binary).toString(), 'other')
  t.is(binary.buffer, arrays[1].buffer)
  arrays[1].fill('x')
  t.is(Buffer.from(binary).toString(), 'xxxxx')
  tape.close()
  t.throws(() => tape.binary(1), undefined, 'a delivery that is over keeps nothing alive')
})
