import { imprecise } from './errors.js'
import { ASCII, fastBuffer, LENGTH_MASK, OFFSET_MASK, type FastBuffer, type TapeSizes } from './layout.js'

const none: readonly Uint8Array[] = []

/** What a tape in begins with: room for some hundred calls of ordinary size. */
const standing: TapeSizes = { slots: 32 * 1024, text: 256 * 1024, bytes: 256 * 1024 }

/**
 * The tape in: what Rust has written and generated readers turn into objects.
 *
 * A reader takes the tape and a slot: `readItem(t, p)`. The views are public because readers index them directly; they change
 * only in {@link adopt}, which never happens while messages are read.
 */
export class InTape {
  /** Halves of the slots: `i32[2 * p]` is the low one. */
  i32: Int32Array
  /** Slots as 64-bit integers. */
  i64: BigInt64Array
  /** Slots as doubles. */
  f64: Float64Array
  /** The text chunk of the message that {@link begin} chose: short ASCII strings are substrings of it. */
  private chunk = ''
  private chunkStart = -1
  private chunkLength = -1
  private text: FastBuffer
  private fast: FastBuffer
  private bytes: Uint8Array
  /** What large binaries of this delivery are views of. */
  private arrays: readonly Uint8Array[] = none

  constructor(slots: BigInt64Array, text: Uint8Array, bytes: Uint8Array) {
    this.i64 = slots
    this.i32 = new Int32Array(slots.buffer, slots.byteOffset, slots.length * 2)
    this.f64 = new Float64Array(slots.buffer, slots.byteOffset, slots.length)
    this.text = fastBuffer(text)
    // A plain view, whatever was given: a Buffer's slice would be another thing.
    this.bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
    this.fast = fastBuffer(bytes)
  }

  /** A tape of at least the given sizes, and of the standing ones by default. */
  static create(sizes: Partial<TapeSizes> = {}): InTape {
    return new InTape(
      new BigInt64Array(Math.max(sizes.slots ?? 0, standing.slots)),
      new Uint8Array(Math.max(sizes.text ?? 0, standing.text)),
      new Uint8Array(Math.max(sizes.bytes ?? 0, standing.bytes)),
    )
  }

  /** The three buffers, in the order of `Core.setIn`. */
  get buffers(): [slots: BigInt64Array, text: Uint8Array, bytes: Uint8Array] {
    return [this.i64, new Uint8Array(this.text.buffer, this.text.byteOffset, this.text.length), this.bytes]
  }

  /** Goes over to other buffers. */
  adopt(slots: BigInt64Array, text: Uint8Array, bytes: Uint8Array): void {
    this.i64 = slots
    this.i32 = new Int32Array(slots.buffer, slots.byteOffset, slots.length * 2)
    this.f64 = new Float64Array(slots.buffer, slots.byteOffset, slots.length)
    this.text = fastBuffer(text)
    // A plain view, whatever was given: a Buffer's slice would be another thing.
    this.bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
    this.fast = fastBuffer(bytes)
    this.chunkStart = -1
  }

  /**
   * Begins a delivery: what was known about the last one's text is forgotten.
   * @param arrays what large binaries are views of.
   * @returns the first slot behind the messages; they begin at `IN_START`.
   */
  open(arrays: readonly Uint8Array[] = none): number {
    this.arrays = arrays
    this.chunkStart = -1
    this.chunkLength = -1
    return this.i32[0]
  }

  /** Ends a delivery: what nobody else has a view of is free. */
  close(): void {
    this.arrays = none
  }

  /**
   * Chooses the message at slot `p`; its strings may be read until another one is chosen.
   *
   * Consecutive messages share a chunk, and the first of them carries the length of the whole.
   */
  begin(p: number): void {
    const start = this.i32[2 * p + 6]
    const length = this.i32[2 * p + 7]
    if (start === this.chunkStart && length <= this.chunkLength) return
    this.chunk = length === 0 ? '' : this.text.latin1Slice(start, start + length)
    this.chunkStart = start
    this.chunkLength = length
  }

  /** The string (or uuid) in slot `p`. */
  string(p: number): string {
    const i32 = this.i32
    const offset = i32[2 * p]
    const length = i32[2 * p + 1]
    return length >= 0 ? this.chunk.substring(offset, offset + length) : this.stringInBytes(offset, length)
  }

  private stringInBytes(offset: number, flagged: number): string {
    const end = offset + (flagged & LENGTH_MASK)
    return (flagged & ASCII) === 0 ? this.fast.utf8Slice(offset, end) : this.fast.latin1Slice(offset, end)
  }

  /** The binary in slot `p`: a copy, or of a large message a view of the memory that only this message has. */
  binary(p: number): Uint8Array {
    const offset = this.i32[2 * p]
    if (offset < 0) return this.view(p, p + (offset & OFFSET_MASK))
    return this.bytes.slice(offset, offset + this.i32[2 * p + 1])
  }

  private view(p: number, at: number): Uint8Array {
    const { buffer, byteOffset } = this.arrays[this.i32[2 * at]]
    return new Uint8Array(buffer, byteOffset + this.i32[2 * at + 1], this.i32[2 * p + 1])
  }

  /**
   * The 64-bit integer in slot `p` as a number.
   * @param path names the value in the error.
   * @throws TapeRangeError if no number says it exactly.
   */
  safeInteger(p: number, path: string): number {
    const value = this.i32[2 * p + 1] * 4294967296 + (this.i32[2 * p] >>> 0)
    return Number.isSafeInteger(value) ? value : imprecise(path, this.i64[p])
  }

  /**
   * The unsigned 64-bit integer in slot `p` as a number.
   * @param path names the value in the error.
   * @throws TapeRangeError if no number says it exactly.
   */
  safeUnsigned(p: number, path: string): number {
    const value = (this.i32[2 * p + 1] >>> 0) * 4294967296 + (this.i32[2 * p] >>> 0)
    return Number.isSafeInteger(value) ? value : imprecise(path, BigInt.asUintN(64, this.i64[p]))
  }
}
