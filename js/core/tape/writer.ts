import { isSharedArrayBuffer } from 'node:util/types'

import { TapeRangeError, TapeTypeError } from './errors.js'
import {
  ELSEWHERE,
  fastBuffer,
  HEADER_SLOTS,
  IN_BYTES,
  LARGE,
  OUT_START,
  type FastBuffer,
  type Kind,
  type TapeSizes,
} from './layout.js'

/** What a tape out begins with and goes back to. */
const standing: TapeSizes = { slots: 32 * 1024, text: 256 * 1024, bytes: 256 * 1024 }

/** Slots of one tape at most: 512 MiB. */
const MAX_SLOTS = 64 * 1024 * 1024

/** Bytes of one tape at most: what an Int32 offset can say, less a little. */
const MAX_BYTES = 0x7fff0000

/** Strings longer than this many UTF-16 units are encoded at once: a rope of large leaves would be copied twice. */
const ROPE_STRING = 256

/** Longest rope: longer ones would meet V8's limit of a string. */
const MAX_ROPE = 64 * 1024 * 1024

/** From this many units on the exact length is counted first, instead of room for the worst case. */
const COUNTED = 64 * 1024

/** An oversized buffer is given back after this many submissions that did not need it. */
const PATIENCE = 64

/** Told where the tape's buffers are now; `Core.setOut` has this shape. */
export type Resized = (slots: BigInt64Array, text: Uint8Array, bytes: Uint8Array) => void

/** Has Rust take the tape with arrays that binaries of its last message lie in; they are written or copied when it returns. */
export type Lend = (arrays: readonly Uint8Array[]) => void

const encoder = new TextEncoder()

/**
 * The tape out: what generated writers lay down and Rust encodes.
 *
 * A message is everything between {@link open} and {@link close}; a writer that throws leaves nothing behind once
 * {@link rollback} is called. The views change whenever room is made, so nobody keeps one over {@link alloc}.
 */
export class OutTape {
  /** Halves of the slots: `i32[2 * p]` is the low one. */
  i32: Int32Array
  /** Slots as 64-bit integers. */
  i64: BigInt64Array
  /** Slots as doubles. */
  f64: Float64Array
  /** Nesting of recursive structs at this moment; generated writers count it. */
  depth = 0
  /** Deepest nesting of recursive structs; deeper values are taken for cycles. */
  maxDepth = 64
  /** First slot that is not used. */
  private end = OUT_START
  private capacity: number
  /** First slot of the open message; 0 while none is open. */
  private message = 0
  /** What `i32[0]` said when this side wrote it last; anything else means that Rust has taken the tape. */
  private committed = OUT_START
  private rope = ''
  private ropeLength = 0
  private bytesEnd = 0
  private markRope = ''
  private markRopeLength = 0
  private markBytesEnd = 0
  private text: Uint8Array
  private bytes: Uint8Array
  private fast: FastBuffer
  /** Submissions in a row that standing buffers would have held. */
  private modest = 0
  /** Called with the new buffers whenever one was replaced; the owner sets it before the first message. */
  private readonly resized: Resized
  /** Called when a message with large binaries is complete; without it they are copied. */
  private readonly lend: Lend | undefined
  /** Large binaries of the open message. */
  private lent: Uint8Array[] = []
  /** Bytes of them. */
  private lentLength = 0

  constructor(resized: Resized, sizes: Partial<TapeSizes> = {}, lend?: Lend) {
    this.resized = resized
    this.lend = lend
    this.i64 = new BigInt64Array(Math.max(sizes.slots ?? standing.slots, OUT_START + HEADER_SLOTS))
    this.i32 = new Int32Array(this.i64.buffer)
    this.f64 = new Float64Array(this.i64.buffer)
    this.capacity = this.i64.length
    this.text = new Uint8Array(sizes.text ?? standing.text)
    this.bytes = new Uint8Array(sizes.bytes ?? standing.bytes)
    this.fast = fastBuffer(this.bytes)
    this.i32[0] = OUT_START
  }

  /** The three buffers, in the order of `Core.setOut`. */
  get buffers(): [slots: BigInt64Array, text: Uint8Array, bytes: Uint8Array] {
    return [this.i64, this.text, this.bytes]
  }

  /** True between {@link open} and {@link close} or {@link rollback}: Rust must not take the tape now. */
  get writing(): boolean {
    return this.message !== 0
  }

  /** Writes now, or as soon as the message is complete that is being written: a getter of its value may have led here. */
  whenFree(write: () => void): void {
    if (this.writing) queueMicrotask(() => this.whenFree(write))
    else write()
  }

  /** True if messages wait for Rust. */
  get pending(): boolean {
    return this.i32[0] !== OUT_START
  }

  /**
   * Begins a message; its body begins at the next {@link alloc}.
   * @returns its first slot.
   * @throws Error if one is open: a getter of a value being written made a call.
   */
  open(kind: Kind, call: number, generation: number, method: number, owner: number): number {
    if (this.message !== 0) {
      throw new Error('a call was made while a value was being written: getters of messages must not make calls')
    }
    if (this.i32[0] !== this.committed) this.reset()
    const p = this.end
    if (p + HEADER_SLOTS > this.capacity) this.grow(p + HEADER_SLOTS)
    this.end = p + HEADER_SLOTS
    this.message = p
    this.depth = 0
    this.markRope = this.rope
    this.markRopeLength = this.ropeLength
    this.markBytesEnd = this.bytesEnd
    const i32 = this.i32
    i32[2 * p] = kind
    i32[2 * p + 2] = call
    i32[2 * p + 3] = generation
    i32[2 * p + 4] = method
    i32[2 * p + 5] = owner
    i32[2 * p + 6] = 0
    i32[2 * p + 7] = 0
    return p
  }

  /**
   * Ends the message: from now on Rust sees it.
   * @throws TapeTypeError if a binary that was lent has lost its memory meanwhile; the message is taken back.
   */
  close(): void {
    if (this.lentLength > 0) this.checkLent()
    const p = this.message
    const i32 = this.i32
    i32[2 * p + 1] = this.end - p
    i32[2 * p + 6] = this.bytesEnd
    i32[0] = this.end
    i32[1] = this.ropeLength
    this.committed = this.end
    this.message = 0
    this.markRope = ''
    if (this.lentLength > 0) this.handOver()
  }

  /** A getter of a later value may have transferred the memory of an earlier one. */
  private checkLent(): void {
    let length = 0
    for (const array of this.lent) length += array.length
    if (length === this.lentLength) return
    this.rollback()
    throw new TapeTypeError('message', 'a Uint8Array was transferred while the message was written; keep it until then')
  }

  /** What is lent is written before anybody can change it. */
  private handOver(): void {
    const { lent } = this
    this.lent = []
    this.lentLength = 0
    this.lend?.(lent)
  }

  /** About how many bytes the open message takes. */
  get messageSize(): number {
    const slots = (this.end - this.message) * 8
    return slots + this.ropeLength - this.markRopeLength + this.bytesEnd - this.markBytesEnd + this.lentLength
  }

  /** Takes the open message back; nothing happens if none is open. */
  rollback(): void {
    if (this.message === 0) return
    this.end = this.message
    this.rope = this.markRope
    this.ropeLength = this.markRopeLength
    this.bytesEnd = this.markBytesEnd
    this.markRope = ''
    this.message = 0
    this.depth = 0
    if (this.lentLength > 0) {
      this.lent = []
      this.lentLength = 0
    }
  }

  /**
   * Takes `count` slots; what they hold is whatever lay there.
   * @returns the first of them.
   */
  alloc(count: number): number {
    const p = this.end
    const end = p + count
    if (end > this.capacity) this.grow(end)
    this.end = end
    return p
  }

  /** Lets slot `p` point to `target`, with `count` in its high half (0 for structs). */
  point(p: number, target: number, count: number): void {
    this.i32[2 * p] = target - p
    this.i32[2 * p + 1] = count
  }

  /** Lays a string (or a uuid) into slot `p`. */
  string(p: number, value: string): void {
    const length = value.length
    if (length > ROPE_STRING || this.ropeLength > MAX_ROPE) {
      this.stringInBytes(p, value)
      return
    }
    const i32 = this.i32
    i32[2 * p] = this.ropeLength
    i32[2 * p + 1] = length
    this.rope += value
    this.ropeLength += length
  }

  private stringInBytes(p: number, value: string): void {
    const units = value.length
    const start = this.reserve(units < COUNTED ? units * 3 : Buffer.byteLength(value))
    const length = this.fast.utf8Write(value, start, this.bytes.length - start)
    this.bytesEnd = start + length
    this.i32[2 * p] = start
    this.i32[2 * p + 1] = length | IN_BYTES
  }

  /** Copies a binary into slot `p`, or lends it if it is large. */
  binary(p: number, value: Uint8Array): void {
    const length = value.length
    if (length >= LARGE && this.mayLend(value)) {
      this.i32[2 * p] = ELSEWHERE | (this.lent.push(value) - 1)
      this.i32[2 * p + 1] = length
      this.lentLength += length
      return
    }
    const start = this.reserve(length)
    this.bytes.set(value, start)
    this.bytesEnd = start + length
    this.i32[2 * p] = start
    this.i32[2 * p + 1] = length
  }

  /** Memory whose size may change, or that other threads see, is copied. */
  private mayLend(value: Uint8Array): boolean {
    if (this.lend === undefined) return false
    const buffer = value.buffer as ArrayBuffer & { resizable?: boolean }
    return !isSharedArrayBuffer(buffer) && buffer.resizable !== true
  }

  /** Encodes what was gathered into the tape's text; called by Rust once a submission. */
  encodeText(): void {
    const room = this.ropeLength * 3
    if (room > this.text.length) {
      this.text = new Uint8Array(Math.min(Math.max(room, this.text.length * 2), MAX_BYTES))
      this.resized(this.i64, this.text, this.bytes)
    }
    const { read, written } = encoder.encodeInto(this.rope, this.text)
    this.i32[1] = 0
    this.i32[2] = read
    this.i32[3] = written
    this.rope = ''
    this.ropeLength = 0
  }

  /** What was written has been taken, as Rust says it by the same number. */
  taken(): void {
    this.i32[0] = OUT_START
  }

  /** Makes room for `count` bytes at least; returns where they begin. */
  private reserve(count: number): number {
    const start = this.bytesEnd
    const end = start + count
    if (end > this.bytes.length) {
      if (end > MAX_BYTES) throw new TapeRangeError('message', 'its strings and binaries take more than 2 GiB')
      const bytes = new Uint8Array(Math.min(Math.max(end, this.bytes.length * 2), MAX_BYTES))
      bytes.set(this.bytes.subarray(0, start))
      this.bytes = bytes
      this.fast = fastBuffer(bytes)
      this.modest = 0
      this.resized(this.i64, this.text, bytes)
    }
    return start
  }

  /** Makes room for `end` slots at least. */
  private grow(end: number): void {
    if (end > MAX_SLOTS) throw new TapeRangeError('message', `it has more than ${MAX_SLOTS} values`)
    const slots = new BigInt64Array(Math.min(Math.max(end, this.capacity * 2), MAX_SLOTS))
    slots.set(this.i64.subarray(0, this.end))
    this.replaceSlots(slots)
    this.modest = 0
    this.resized(slots, this.text, this.bytes)
  }

  private replaceSlots(slots: BigInt64Array): void {
    this.i64 = slots
    this.i32 = new Int32Array(slots.buffer)
    this.f64 = new Float64Array(slots.buffer)
    this.capacity = slots.length
  }

  /** Begins anew after Rust has taken everything. */
  private reset(): void {
    const oversized =
      this.capacity > standing.slots || this.text.length > standing.text || this.bytes.length > standing.bytes
    if (oversized) {
      const needed = this.end > standing.slots || this.i32[3] > standing.text || this.bytesEnd > standing.bytes
      this.modest = needed ? 0 : this.modest + 1
      if (this.modest >= PATIENCE) this.shrink()
    }
    this.end = OUT_START
    this.committed = OUT_START
    this.rope = ''
    this.ropeLength = 0
    this.bytesEnd = 0
  }

  private shrink(): void {
    this.replaceSlots(new BigInt64Array(standing.slots))
    this.i32[0] = OUT_START
    this.text = new Uint8Array(standing.text)
    this.bytes = new Uint8Array(standing.bytes)
    this.fast = fastBuffer(this.bytes)
    this.modest = 0
    this.resized(this.i64, this.text, this.bytes)
  }
}
