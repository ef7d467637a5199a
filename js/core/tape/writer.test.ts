import test from 'ava'
import { TapeRangeError, TapeTypeError } from './errors.js'
import { ELSEWHERE, HEADER_SLOTS, IN_BYTES, Kind, LARGE, LENGTH_MASK, OUT_START } from './layout.js'
import { OutTape, type Resized } from './writer.js'

/** What Rust does when it takes a tape: has the text encoded, reads everything, says that it has. */
function take(tape: OutTape): { text: string; units: number; end: number } {
  tape.encodeText()
  const [slots, text] = tape.buffers
  const words = new Int32Array(slots.buffer)
  const [end, , units, length] = words
  words[0] = OUT_START
  return { text: Buffer.from(text.subarray(0, length)).toString(), units, end }
}

function tapeOf(sizes = { slots: 16, text: 16, bytes: 16 }): { tape: OutTape; resized: Parameters<Resized>[] } {
  const resized: Parameters<Resized>[] = []
  return { tape: new OutTape((...buffers) => resized.push(buffers), sizes), resized }
}

/** Lays a message of these strings, a slot each. */
function put(tape: OutTape, ...strings: string[]): number {
  const message = tape.open(Kind.REPLY, 1, 2, 3, 4)
  const p = tape.alloc(strings.length)
  strings.forEach((string, index) => tape.string(p + index, string))
  tape.close()
  return message
}

test('a message is a header and a body, and the next one stands behind it', (t) => {
  const { tape } = tapeOf({ slots: 64, text: 64, bytes: 64 })
  t.false(tape.pending)
  const first = tape.open(Kind.REPLY, 11, 12, 13, 14)
  t.true(tape.writing)
  const body = tape.alloc(2)
  tape.i64[body] = -5n
  tape.f64[body + 1] = 0.5
  t.is(tape.i32[0], OUT_START, 'nothing is to be seen before it is closed')
  tape.close()
  t.false(tape.writing)
  t.true(tape.pending)
  t.is(first, OUT_START)
  t.is(body, first + HEADER_SLOTS)
  t.deepEqual([...tape.i32.subarray(2 * first, 2 * body)], [Kind.REPLY, 6, 11, 12, 13, 14, 0, 0])
  t.is(tape.i32[0], first + 6)

  t.is(tape.open(Kind.CANCEL, 1, 1, 0, 0), first + 6)
  tape.close()
  t.is(tape.i32[0], first + 10)
})

test('strings are gathered in one text, in UTF-16 units', (t) => {
  const { tape } = tapeOf()
  const message = put(tape, 'héllo', '', '😀!')
  const p = message + HEADER_SLOTS
  t.deepEqual([...tape.i32.subarray(2 * p, 2 * p + 6)], [0, 5, 5, 0, 5, 3])
  t.is(tape.i32[1], 8, 'so much is not encoded yet')
  t.deepEqual(take(tape), { text: 'héllo😀!', units: 8, end: p + 3 })
})

test('strings over 256 units are encoded at once', (t) => {
  const { tape, resized } = tapeOf({ slots: 64, text: 16, bytes: 16 })
  const long = ['ü'.repeat(257), 'x'.repeat(1 << 20), `${'😀'.repeat(200)}\ud800`]
  const message = put(tape, 'short', ...long, 'end')
  const p = message + HEADER_SLOTS
  const [, , bytes] = tape.buffers
  for (const [index, string] of long.entries()) {
    const [offset, flagged] = tape.i32.subarray(2 * (p + 1 + index))
    t.true((flagged & IN_BYTES) !== 0)
    const read = Buffer.from(bytes.buffer).toString('utf8', offset, offset + (flagged & LENGTH_MASK))
    t.is(read, string.replace('\ud800', '\ufffd'))
  }
  t.is(take(tape).text, 'shortend')
  t.true(resized.length > 0)
  t.deepEqual(resized[resized.length - 1], tape.buffers, 'its owner knows where everything is')
})

test('a tape that grows in the middle of a message keeps what is there', (t) => {
  const { tape, resized } = tapeOf()
  const message = tape.open(Kind.CALL, 1, 2, 3, 4)
  const slots = Array.from({ length: 1000 }, (_, index) => {
    const p = tape.alloc(1)
    tape.i64[p] = BigInt(index)
    return p
  })
  tape.close()
  t.true(slots.every((p, index) => tape.i64[p] === BigInt(index)))
  t.is(tape.i32[2 * message + 1], HEADER_SLOTS + 1000)
  t.is(tape.i32[0], message + HEADER_SLOTS + 1000)
  t.deepEqual(resized[resized.length - 1], tape.buffers)
})

test('after a rollback everything is as before', (t) => {
  const { tape } = tapeOf()
  put(tape, 'kept')
  const end = tape.i32[0]
  tape.open(Kind.CALL, 1, 2, 3, 4)
  const p = tape.alloc(100)
  tape.string(p, 'lost')
  tape.string(p + 1, 'l'.repeat(300))
  tape.binary(p + 2, new Uint8Array(100))
  tape.rollback()
  tape.rollback()
  t.false(tape.writing)
  t.is(tape.i32[0], end)
  const next = put(tape, 'next', 'b'.repeat(257))
  t.is(next, end)
  t.is(tape.i32[2 * (next + HEADER_SLOTS + 1)], 0, 'bytes begin where they would have')
  t.is(take(tape).text, 'keptnext')
})

test('once Rust has taken everything, the tape begins anew', (t) => {
  const { tape } = tapeOf()
  for (let turn = 0; turn < 10; turn++) {
    t.is(put(tape, 'a', 'c'.repeat(300)), OUT_START)
    t.true(put(tape, 'b') > OUT_START)
    t.is(take(tape).text, 'ab')
    t.false(tape.pending)
  }
})

test('a call made by a getter of a value that is being written is refused, and does no harm', (t) => {
  const { tape } = tapeOf()
  tape.open(Kind.CALL, 1, 2, 3, 4)
  t.throws(() => tape.open(Kind.CALL, 1, 2, 3, 4), { message: /getters of messages must not make calls/ })
  tape.rollback()
  put(tape, 'fine')
  t.is(take(tape).text, 'fine')
})

test('memory of one large message is given back', (t) => {
  const { tape, resized } = tapeOf({ slots: 16, text: 16, bytes: 16 })
  tape.open(Kind.CALL, 1, 2, 3, 4)
  tape.binary(tape.alloc(1), new Uint8Array(10 << 20))
  tape.close()
  take(tape)
  t.true(tape.buffers[2].length >= 10 << 20)
  for (let turn = 0; turn < 100; turn++) {
    put(tape, 'small')
    t.is(take(tape).text, 'small')
  }
  t.true(tape.buffers[2].length < 1 << 20)
  t.deepEqual(resized[resized.length - 1], tape.buffers)
})

test('a message that no tape can hold is refused before memory is taken', (t) => {
  const { tape } = tapeOf()
  tape.open(Kind.CALL, 1, 2, 3, 4)
  t.throws(() => tape.alloc(2 ** 32 - 1), { instanceOf: TapeRangeError, message: /more than 67108864 values/ })
  tape.rollback()
  put(tape, 'fine')
  t.is(take(tape).text, 'fine')
})

test('halves of a surrogate pair in neighbouring strings form it in the text, where Rust parts them again', (t) => {
  const { tape } = tapeOf()
  put(tape, 'a\ud83d', '\ude00b', '\ud83d')
  t.deepEqual(take(tape), { text: 'a😀b\ufffd', units: 5, end: OUT_START + HEADER_SLOTS + 3 })
})

/** A tape that lends, and what it has lent. */
function lendingTape(): { tape: OutTape; lent: (readonly Uint8Array[])[] } {
  const lent: (readonly Uint8Array[])[] = []
  return {
    tape: new OutTape(
      () => undefined,
      {},
      (arrays) => lent.push(arrays),
    ),
    lent,
  }
}

/** Lays a message of these binaries, a slot each; returns the first of them. */
function putBinaries(tape: OutTape, ...binaries: Uint8Array[]): number {
  tape.open(Kind.REPLY, 1, 2, 3, 4)
  const p = tape.alloc(binaries.length)
  binaries.forEach((binary, index) => tape.binary(p + index, binary))
  return p
}

test('large binaries are lent when their message is complete, the others copied', (t) => {
  const { tape, lent } = lendingTape()
  const [one, two] = [new Uint8Array(LARGE), new Uint8Array(LARGE + 1)]
  const p = putBinaries(tape, one, new Uint8Array(LARGE - 1), two)
  t.deepEqual(lent, [], 'not before')
  t.true(tape.messageSize > 3 * LARGE)
  tape.close()
  t.is(lent.length, 1)
  t.is(lent[0][0], one)
  t.is(lent[0][1], two)
  t.deepEqual([...tape.i32.subarray(2 * p, 2 * p + 2)], [ELSEWHERE, LARGE])
  t.deepEqual([...tape.i32.subarray(2 * p + 2, 2 * p + 4)], [0, LARGE - 1])
  t.deepEqual([...tape.i32.subarray(2 * p + 4, 2 * p + 6)], [ELSEWHERE | 1, LARGE + 1])
  putBinaries(tape, new Uint8Array(1))
  tape.close()
  t.is(lent.length, 1, 'a message without a large one asks for nothing')
})

test('what may change by itself is copied, and so is everything where nobody takes what is lent', (t) => {
  const { tape, lent } = lendingTape()
  const resizable = Reflect.construct(ArrayBuffer, [LARGE, { maxByteLength: 2 * LARGE }]) as ArrayBuffer
  const p = putBinaries(tape, new Uint8Array(new SharedArrayBuffer(LARGE)), new Uint8Array(resizable))
  tape.close()
  t.deepEqual([tape.i32[2 * p], tape.i32[2 * p + 2]], [0, LARGE])
  t.deepEqual(lent, [])
  const plain = tapeOf().tape
  const q = putBinaries(plain, new Uint8Array(LARGE))
  plain.close()
  t.is(plain.i32[2 * q], 0)
})

test('a message that is taken back lends nothing, and one whose memory is gone is taken back', (t) => {
  const { tape, lent } = lendingTape()
  putBinaries(tape, new Uint8Array(LARGE))
  tape.rollback()
  const gone = new Uint8Array(LARGE)
  putBinaries(tape, gone)
  structuredClone(gone, { transfer: [gone.buffer] })
  t.throws(() => tape.close(), { instanceOf: TapeTypeError, message: /transferred/ })
  t.false(tape.writing)
  t.false(tape.pending)
  const kept = new Uint8Array(LARGE)
  putBinaries(tape, kept)
  tape.close()
  t.is(lent.length, 1)
  t.is(lent[0][0], kept)
})
