/** What Rust does between two peers, in TypeScript: a message of a tape out becomes a message of a tape in. For tests. */
import type { Schema, Type } from '../../schema/model.js'
import { keepsUnknown, kindOf, presenceSlots, tapeFields } from '../../schema/types.js'
import { ASCII, HEADER_SLOTS, IN_BYTES, Kind, LENGTH_MASK, OUT_START } from './layout.js'
import { InTape } from './reader.js'
import { OutTape } from './writer.js'

/** Strings up to this length lie in the text chunk if they are ASCII. */
const CHUNK_STRING = 1024

/** A pair of tapes with a schema between them. */
export class Relay {
  readonly out: OutTape
  readonly in: InTape
  private text: Uint8Array = new Uint8Array()
  private chunk = ''
  private bytes: Buffer[] = []
  private bytesLength = 0
  private end = 1
  private slots: BigInt64Array

  constructor(private readonly schema: Schema) {
    this.out = new OutTape(() => undefined, { slots: 64, text: 64, bytes: 64 })
    this.slots = new BigInt64Array(1 << 16)
    this.in = new InTape(this.slots, new Uint8Array(), new Uint8Array())
  }

  /** Writes one message with `write`, carries it over, reads it with `read`. */
  message<T>(kind: Kind, method: number, write: (t: OutTape) => void, read: (t: InTape, p: number) => T): T {
    const { out } = this
    out.open(kind, 7, 8, method, 9)
    try {
      write(out)
    } catch (error) {
      out.rollback()
      throw error
    }
    out.close()
    const body = this.carry(method, kind === 1 ? 'args' : 'result')
    return read(this.in, body)
  }

  /** Writes one message of Protobuf with `write`, carries it over, reads it with `read`. */
  protobuf<T>(index: number, write: (t: OutTape) => number, read: (t: InTape, p: number) => T): T {
    const { out } = this
    out.open(Kind.STREAM_MESSAGE, 7, 8, 0, 9)
    try {
      const body = out.alloc(1)
      out.point(body, write(out), 0)
    } catch (error) {
      out.rollback()
      throw error
    }
    out.close()
    const pointer = OUT_START + HEADER_SLOTS
    return read(this.in, this.carryStruct(index, 0, pointer + out.i32[2 * pointer]))
  }

  /** Carries the only message of the tape out over; returns where its body begins on the tape in. */
  private carry(method: number, part: 'args' | 'result'): number {
    const index = part === 'args' ? this.schema.methods[method].args : (this.schema.methods[method].result as number)
    return this.carryStruct(index, method, OUT_START + HEADER_SLOTS)
  }

  private carryStruct(index: number, method: number, from: number): number {
    this.out.encodeText()
    const [slots, text] = this.out.buffers
    const words = new Int32Array(slots.buffer)
    this.text = text.subarray(0, words[3])
    this.chunk = ''
    this.bytes = []
    this.bytesLength = 0
    this.end = 1 + 4
    const rope = new TextDecoder('utf-8', { ignoreBOM: true }).decode(this.text)
    if (rope.length !== words[2]) throw new Error(`text has ${rope.length} units, the tape says ${words[2]}`)
    const body = this.end
    this.end += presenceSlots(this.schema.structs[index]) + tapeFields(this.schema.structs[index])
    this.struct(index, from, body, rope)
    if (words[0] !== 2 + words[2 * 2 + 1]) throw new Error('the end of the tape is not the end of its message')
    // Rust has taken everything.
    words[0] = 2
    const header = new Int32Array(this.slots.buffer)
    header[0] = this.end
    header.set([2, this.end - 1, 7, 8, method, 9, 0, this.chunk.length], 2)
    this.in.adopt(this.slots, Buffer.from(this.chunk, 'latin1'), Buffer.concat(this.bytes))
    this.in.open()
    this.in.begin(1)
    return body
  }

  private struct(index: number, from: number, to: number, rope: string): void {
    const struct = this.schema.structs[index]
    const first = presenceSlots(struct)
    const source = this.out.i32
    for (let word = 0; word < 2 * first; word++) this.in.i32[2 * to + word] = source[2 * from + word]
    const types = struct.fields.map((field) => field.type)
    if (keepsUnknown(struct)) types.push('binary')
    for (const [position, type] of types.entries()) {
      const present = (source[2 * from + (position >> 5)] & (1 << (position & 31))) !== 0
      if (present) this.value(type, from + first + position, to + first + position, rope)
      // What lies in the slots of absent fields must not matter.
      else this.slots[to + first + position] = 0x5a5a5a5a5a5a5a5an
    }
  }

  private value(type: Type, from: number, to: number, rope: string): void {
    const { i32 } = this.out
    const [low, high] = [i32[2 * from], i32[2 * from + 1]]
    switch (kindOf(this.schema, type)) {
      case 'i64':
      case 'sint64':
      case 'sfixed64':
      case 'uint64':
      case 'fixed64':
      case 'double':
        this.slots[to] = this.out.i64[from]
        return
      case 'float':
        this.in.f64[to] = Math.fround(this.out.f64[from])
        return
      case 'string':
      case 'uuid':
        this.string(low, high, to, rope)
        return
      case 'binary':
        this.put(to, this.bytesOut.subarray(low, low + high), 0)
        return
      case 'struct':
      case 'union': {
        const { struct } = type as { struct: number }
        const target = this.alloc(presenceSlots(this.schema.structs[struct]) + tapeFields(this.schema.structs[struct]))
        this.point(to, target, 0)
        this.struct(struct, from + low, target, rope)
        return
      }
      case 'list':
      case 'set': {
        const element = 'list' in (type as object) ? (type as { list: Type }).list : (type as { set: Type }).set
        const target = this.alloc(high)
        this.point(to, target, high)
        for (let item = 0; item < high; item++) this.value(element, from + low + item, target + item, rope)
        return
      }
      case 'map':
      case 'record': {
        const { map } = type as { map: readonly [Type, Type] }
        const target = this.alloc(2 * high)
        this.point(to, target, high)
        for (let item = 0; item < 2 * high; item++) this.value(map[item & 1], from + low + item, target + item, rope)
        return
      }
      default:
        if (high !== 0) throw new Error(`the high half of a small integer is ${high}`)
        this.in.i32[2 * to] = low
        this.in.i32[2 * to + 1] = 0
    }
  }

  private string(offset: number, length: number, to: number, rope: string): void {
    const text =
      (length & IN_BYTES) === 0
        ? Buffer.from(rope.slice(offset, offset + length)).toString()
        : this.bytesOut.toString('utf8', offset, offset + (length & LENGTH_MASK))
    // eslint-disable-next-line no-control-regex -- ASCII is what is meant.
    const ascii = /^[\x00-\x7f]*$/.test(text)
    if (ascii && text.length <= CHUNK_STRING) {
      this.in.i32[2 * to] = this.chunk.length
      this.in.i32[2 * to + 1] = text.length
      this.chunk += text
    } else {
      this.put(to, Buffer.from(text), IN_BYTES | (ascii ? ASCII : 0))
    }
  }

  private get bytesOut(): Buffer {
    return Buffer.from(this.out.buffers[2].buffer)
  }

  private put(to: number, bytes: Uint8Array, flags: number): void {
    this.in.i32[2 * to] = this.bytesLength
    this.in.i32[2 * to + 1] = bytes.length | flags
    this.bytes.push(Buffer.from(bytes))
    this.bytesLength += bytes.length
  }

  private alloc(count: number): number {
    const start = this.end
    this.end += count
    if (this.end > this.slots.length) throw new Error('the test needs a larger tape')
    return start
  }

  private point(at: number, target: number, count: number): void {
    this.in.i32[2 * at] = target - at
    this.in.i32[2 * at + 1] = count
  }
}
