/** Writers of the tape as closures over the schema. They know the path of what they write, so their errors name it. */
import {
  changed,
  checkEmpty,
  isBytes,
  isFloat,
  isMapLike,
  isRecord,
  isSetLike,
  isUuid,
  noCase,
  own,
  required,
  tooDeep,
} from '../core/tape/checks.js'
import { absent, TapeTypeError } from '../core/tape/errors.js'
import type { OutTape } from '../core/tape/writer.js'
import type { ExceptionClass } from './exceptions.js'
import { build, literal } from './literal.js'
import { messageWriter } from './message-write.js'
import type { Field, Int64, Schema, Type } from './model.js'
import { isInherited, isInheritedByErrors } from './names.js'
import { isRequired, kindOf, presenceSlots, recursiveStructs, tapeFields } from './types.js'
import { unknownWriter } from './unknown.js'

/** Writes a value into a slot. Throws TapeTypeError with the path from this value on: `.id`, `[3]`, or nothing. */
export type Write = (t: OutTape, p: number, value: unknown) => void

/** Runs a part of a value; errors from there get `segment` in front of their path. */
export function within(segment: string, error: unknown): unknown {
  if (!(error instanceof TapeTypeError)) return error
  const Class = error.constructor as new (path: string, reason: string) => TapeTypeError
  return new Class(segment + error.path, error.reason)
}

/** Makes writers; each struct's is made once, when it is first asked for. */
export class Writers {
  private readonly structs = new Map<number, Write>()
  private readonly recursive: ReadonlySet<number>

  constructor(
    readonly schema: Schema,
    private readonly int64: Int64,
    private readonly exception: (struct: number) => ExceptionClass,
  ) {
    this.recursive = recursiveStructs(schema)
  }

  of(type: Type): Write {
    const kind = kindOf(this.schema, type)
    switch (kind) {
      case 'bool':
        return (t, p, value) => {
          if (typeof value !== 'boolean') required('', 'boolean', value)
          integer(t, p, value ? 1 : 0)
        }
      case 'i8':
        return (t, p, value) => {
          if (typeof value !== 'number' || (value << 24) >> 24 !== value) required('', 'i8', value)
          integer(t, p, value)
        }
      case 'i16':
        return (t, p, value) => {
          if (typeof value !== 'number' || (value << 16) >> 16 !== value) required('', 'i16', value)
          integer(t, p, value)
        }
      case 'i32':
        return (t, p, value) => {
          if (typeof value !== 'number' || (value | 0) !== value) required('', 'i32', value)
          integer(t, p, value)
        }
      case 'sint32':
      case 'sfixed32':
        return (t, p, value) => {
          if (typeof value !== 'number' || (value | 0) !== value) required('', kind, value)
          integer(t, p, value)
        }
      case 'uint32':
      case 'fixed32':
        return (t, p, value) => {
          if (typeof value !== 'number' || value >>> 0 !== value) required('', kind, value)
          integer(t, p, value)
        }
      case 'enum':
        return (t, p, value) => {
          if (typeof value !== 'number' || (value | 0) !== value) required('', 'enum', value)
          integer(t, p, value)
        }
      case 'i64':
      case 'sint64':
      case 'sfixed64':
        return this.int64 === 'bigint' ? bigint : safeInteger
      case 'uint64':
      case 'fixed64':
        return this.int64 === 'bigint' ? unsignedBigint : safeUnsigned
      case 'float':
        return (t, p, value) => {
          if (!isFloat(value)) required('', 'float', value)
          t.f64[p] = value
        }
      case 'double':
        return (t, p, value) => {
          if (typeof value !== 'number') required('', 'number', value)
          t.f64[p] = value
        }
      case 'string':
        return (t, p, value) => {
          if (typeof value !== 'string') required('', 'string', value)
          t.string(p, value)
        }
      case 'uuid':
        return (t, p, value) => {
          if (!isUuid(value)) required('', 'uuid', value)
          t.string(p, value)
        }
      case 'binary':
        return (t, p, value) => {
          if (!isBytes(value)) required('', 'Uint8Array', value)
          t.binary(p, value)
        }
      default:
        return this.compound(type as Exclude<Type, string>)
    }
  }

  private compound(type: Exclude<Type, string>): Write {
    if ('struct' in type) {
      const { struct } = type
      // Looked up when it runs: a struct may contain itself.
      return (t, p, value) => this.struct(struct)(t, p, value)
    }
    if ('list' in type) return list(this.of(type.list))
    if ('set' in type) return set(this.of(type.set))
    if ('map' in type) {
      const [key, value] = [this.of(type.map[0]), this.of(type.map[1])]
      return kindOf(this.schema, type) === 'map' ? map(key, value) : record(key, value)
    }
    throw new TypeError('the schema has a type of an unknown kind')
  }

  /** A writer that lays the struct behind everything and lets the slot point to it. */
  struct(index: number): Write {
    let write = this.structs.get(index)
    if (write === undefined) {
      const { kind } = this.schema.structs[index]
      if (kind === 'message') write = this.messageInto(index)
      else write = kind === 'union' ? this.union(index) : this.fields(index)
      if (this.recursive.has(index)) write = limited(write)
      this.structs.set(index, write)
    }
    return write
  }

  /** A writer of a message that nothing points to yet; it returns the first slot. */
  message(index: number): (t: OutTape, value: unknown) => number {
    const write = messageWriter(this, index)
    if (!this.recursive.has(index)) return write
    return (t, value) => {
      if (++t.depth > t.maxDepth) tooDeep('', t.maxDepth)
      const q = write(t, value)
      t.depth--
      return q
    }
  }

  private messageInto(index: number): Write {
    const write = messageWriter(this, index)
    return (t, p, value) => t.point(p, write(t, value), 0)
  }

  private fields(index: number): Write {
    const struct = this.schema.structs[index]
    const inherits = struct.kind === 'exception' ? isInheritedByErrors : isInherited
    const fields = struct.fields.map((field) => ({
      name: field.name,
      write: this.of(field.type),
      required: isRequired(field),
      isOwn: inherits(field.name),
      fallback: this.fallback(field),
    }))
    const first = presenceSlots(struct)
    const unknown = unknownWriter(struct)
    return (t, p, value) => {
      if (typeof value !== 'object' || value === null) required('', 'struct', value)
      const q = t.alloc(first + tapeFields(struct))
      t.point(p, q, 0)
      const words = new Int32Array(2 * first)
      for (const [position, { name, write, required: must, isOwn, fallback }] of fields.entries()) {
        let given = isOwn ? own(value, name) : (value as Record<string, unknown>)[name]
        if (given === undefined || given === null) {
          if (!must) continue
          if (fallback === undefined) absent(`.${name}`, 'value')
          given = fallback()
        }
        try {
          write(t, q + first + position, given)
        } catch (error) {
          throw within(`.${name}`, error)
        }
        words[position >> 5] |= 1 << (position & 31)
      }
      unknown(value, t, q, words)
      if (words.every((word) => word === 0)) checkEmpty('', 'struct', value)
      t.i32.set(words, 2 * q)
    }
  }

  private fallback(field: Field): (() => unknown) | undefined {
    const { type, default: value } = field
    if (value === undefined) return undefined
    return () =>
      build(literal(this.schema, this.int64, type, value), (struct, fields) => new (this.exception(struct))(fields))
  }

  private union(index: number): Write {
    const struct = this.schema.structs[index]
    const first = presenceSlots(struct)
    const cases = new Map(struct.fields.map(({ name, type }, position) => [name, { position, write: this.of(type) }]))
    const unknown = unknownWriter(struct)
    return (t, p, value) => {
      if (typeof value !== 'object' || value === null) required('', 'union', value)
      const { case: name, value: inner } = value as { case?: unknown; value?: unknown }
      const chosen = typeof name === 'string' ? cases.get(name) : undefined
      const q = t.alloc(first + tapeFields(struct))
      t.point(p, q, 0)
      const words = new Int32Array(2 * first)
      unknown(value, t, q, words)
      if (chosen !== undefined) {
        try {
          chosen.write(t, q + first + chosen.position, inner)
        } catch (error) {
          throw within(`.${name as string}`, error)
        }
        words[chosen.position >> 5] |= 1 << (chosen.position & 31)
      } else if (name !== undefined || words.every((word) => word === 0)) {
        // A case that the schema does not know is among what it does not know.
        noCase('', name)
      }
      t.i32.set(words, 2 * q)
    }
  }
}

function integer(t: OutTape, p: number, value: number): void {
  t.i32[2 * p] = value
  t.i32[2 * p + 1] = 0
}

function bigint(t: OutTape, p: number, value: unknown): void {
  if (typeof value !== 'bigint' || BigInt.asIntN(64, value) !== value) required('', 'bigint', value)
  t.i64[p] = value
}

function safeInteger(t: OutTape, p: number, value: unknown): void {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) required('', 'number of 64 bits', value)
  t.i64[p] = BigInt(value)
}

function unsignedBigint(t: OutTape, p: number, value: unknown): void {
  if (typeof value !== 'bigint' || BigInt.asUintN(64, value) !== value) required('', 'unsigned bigint', value)
  t.i64[p] = value
}

function safeUnsigned(t: OutTape, p: number, value: unknown): void {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    required('', 'unsigned number of 64 bits', value)
  }
  t.i64[p] = BigInt(value)
}

function limited(write: Write): Write {
  return (t, p, value) => {
    if (++t.depth > t.maxDepth) tooDeep('', t.maxDepth)
    write(t, p, value)
    t.depth--
  }
}

function list(write: Write): Write {
  return (t, p, value) => {
    if (!Array.isArray(value)) required('', 'array', value)
    const items = value as readonly unknown[]
    const { length } = items
    const q = t.alloc(length)
    t.point(p, q, length)
    for (let index = 0; index < length; index++) {
      try {
        write(t, q + index, items[index])
      } catch (error) {
        throw within(`[${index}]`, error)
      }
    }
  }
}

function set(write: Write): Write {
  return (t, p, value) => {
    if (!isSetLike(value)) required('', 'Set', value)
    const { size } = value
    const q = t.alloc(size)
    t.point(p, q, size)
    let index = 0
    for (const item of value) {
      if (index === size) changed('')
      try {
        write(t, q + index, item)
      } catch (error) {
        throw within(`[${index}]`, error)
      }
      index++
    }
    if (index !== size) changed('')
  }
}

function map(writeKey: Write, writeValue: Write): Write {
  return (t, p, value) => {
    if (!isMapLike(value)) required('', 'Map', value)
    const { size } = value
    const q = t.alloc(2 * size)
    t.point(p, q, size)
    let index = 0
    for (const [key, item] of value) {
      if (index === size) changed('')
      try {
        writeKey(t, q + 2 * index, key)
      } catch (error) {
        throw within(` key ${index}`, error)
      }
      try {
        writeValue(t, q + 2 * index + 1, item)
      } catch (error) {
        throw within(`[${keyText(key)}]`, error)
      }
      index++
    }
    if (index !== size) changed('')
  }
}

function record(writeKey: Write, writeValue: Write): Write {
  return (t, p, value) => {
    if (!isRecord(value)) required('', 'plain object', value)
    const keys = Object.keys(value)
    if (keys.length === 0) checkEmpty('', 'plain object', value)
    const q = t.alloc(2 * keys.length)
    t.point(p, q, keys.length)
    for (const [index, key] of keys.entries()) {
      try {
        writeKey(t, q + 2 * index, key)
      } catch (error) {
        throw within(` key ${index}`, error)
      }
      try {
        writeValue(t, q + 2 * index + 1, value[key])
      } catch (error) {
        throw within(`[${keyText(key)}]`, error)
      }
    }
  }
}

/** A map's key as it stands in a path. */
function keyText(key: unknown): string {
  switch (typeof key) {
    case 'string':
      return JSON.stringify(key.length > 40 ? `${key.slice(0, 40)}…` : key)
    case 'bigint':
      return `${key}n`
    case 'number':
    case 'boolean':
      return String(key)
    default:
      return typeof key
  }
}
