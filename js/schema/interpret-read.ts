/** Readers of the tape as closures over the schema. */
import { define } from '../core/tape/checks.js'
import type { InTape } from '../core/tape/reader.js'
import type { ExceptionClass } from './exceptions.js'
import { build, literal } from './literal.js'
import { blankMessage, messageReader } from './message-read.js'
import type { Field, Int64, Schema, Type } from './model.js'
import { isRequired, kindOf, presenceSlots } from './types.js'
import { unknownReader } from './unknown.js'

/** Reads the value in a slot. */
export type Read = (t: InTape, p: number) => unknown

/** Makes readers; each struct's is made once, when it is first asked for. */
export class Readers {
  private readonly structs = new Map<number, Read>()
  private readonly blanks = new Map<number, () => object>()

  constructor(
    readonly schema: Schema,
    readonly int64: Int64,
    private readonly exception: (struct: number) => ExceptionClass,
  ) {}

  /** A reader of the value in a slot. `path` names it in errors. */
  of(type: Type, path: string): Read {
    switch (kindOf(this.schema, type)) {
      case 'bool':
        return (t, p) => t.i32[2 * p] !== 0
      case 'i8':
      case 'i16':
      case 'i32':
      case 'sint32':
      case 'sfixed32':
      case 'enum':
        return (t, p) => t.i32[2 * p]
      case 'uint32':
      case 'fixed32':
        return (t, p) => t.i32[2 * p] >>> 0
      case 'i64':
      case 'sint64':
      case 'sfixed64':
        return this.int64 === 'bigint' ? (t, p) => t.i64[p] : (t, p) => t.safeInteger(p, path)
      case 'uint64':
      case 'fixed64':
        return this.int64 === 'bigint' ? (t, p) => BigInt.asUintN(64, t.i64[p]) : (t, p) => t.safeUnsigned(p, path)
      case 'float':
      case 'double':
        return (t, p) => t.f64[p]
      case 'string':
      case 'uuid':
        return (t, p) => t.string(p)
      case 'binary':
        return (t, p) => t.binary(p)
      default:
        return this.compound(type as Exclude<Type, string>, path)
    }
  }

  private compound(type: Exclude<Type, string>, path: string): Read {
    if ('struct' in type) {
      const { struct } = type
      // Looked up when it runs: a struct may contain itself.
      return (t, p) => this.struct(struct)(t, p + t.i32[2 * p])
    }
    if ('list' in type) return list(this.of(type.list, path))
    if ('set' in type) return set(this.of(type.set, path))
    if ('map' in type) {
      const [key, value] = [this.of(type.map[0], path), this.of(type.map[1], path)]
      return kindOf(this.schema, type) === 'map' ? map(key, value) : record(key, value)
    }
    throw new TypeError('the schema has a type of an unknown kind')
  }

  /** A reader of the struct whose first presence slot it is given. */
  struct(index: number): Read {
    let read = this.structs.get(index)
    if (read === undefined) {
      const { kind } = this.schema.structs[index]
      if (kind === 'message') read = messageReader(this, index)
      else read = this.withUnknown(index, kind === 'union' ? this.union(index) : this.fields(index))
      this.structs.set(index, read)
    }
    return read
  }

  /** A reader of a struct, union or exception with the fields that the schema does not know, given one of the others. */
  private withUnknown(index: number, fields: Read): Read {
    const struct = this.schema.structs[index]
    const unknown = unknownReader(struct)
    const Exception = struct.kind === 'exception' ? this.exception(index) : undefined
    return (t, p) => {
      const known = fields(t, p) as Record<string, unknown>
      const value = Exception === undefined ? known : new Exception(known)
      unknown(value, t, p)
      return value
    }
  }

  /** A reader of a field; absent ones are `undefined` or their default. Given the struct's first presence slot. */
  field(struct: number, position: number): Read {
    const { schema } = this
    const { fields, name } = schema.structs[struct]
    const field: Field = fields[position]
    const slot = presenceSlots(schema.structs[struct]) + position
    const read = this.of(field.type, `${name}.${field.name}`)
    if (isRequired(field)) return (t, p) => read(t, p + slot)
    const word = position >> 5
    const bit = 1 << (position & 31)
    const fallback = this.fallback(field)
    return (t, p) => ((t.i32[2 * p + word] & bit) === 0 ? fallback() : read(t, p + slot))
  }

  /** What a message without any field is read as. */
  blank(index: number): object {
    let make = this.blanks.get(index)
    if (make === undefined) {
      make = blankMessage(this, index)
      this.blanks.set(index, make)
    }
    return make()
  }

  /** A fresh value of a field's default; undefined if it has none. */
  fallback(field: Field): () => unknown {
    const { type, default: value } = field
    if (value === undefined) return () => undefined
    // Looked at when it is needed: a struct's default may be of a struct that is being made.
    return () =>
      build(literal(this.schema, this.int64, type, value), (struct, fields) => new (this.exception(struct))(fields))
  }

  private fields(index: number): Read {
    const fields = this.schema.structs[index].fields.map(
      ({ name }, position) => [name, this.field(index, position)] as const,
    )
    return (t, p) => {
      const value = {}
      for (const [name, read] of fields) define(value, name, read(t, p))
      return value
    }
  }

  private union(index: number): Read {
    const struct = this.schema.structs[index]
    const first = presenceSlots(struct)
    const cases = struct.fields.map(({ name, type }) => [name, this.of(type, `${struct.name}.${name}`)] as const)
    return (t, p) => {
      for (const [position, [name, read]] of cases.entries()) {
        if ((t.i32[2 * p + (position >> 5)] & (1 << (position & 31))) !== 0) {
          return { case: name, value: read(t, p + first + position) }
        }
      }
      return { case: undefined, value: undefined }
    }
  }
}

function list(read: Read): Read {
  return (t, p) => {
    const first = p + t.i32[2 * p]
    return Array.from({ length: t.i32[2 * p + 1] }, (_, index) => read(t, first + index))
  }
}

function set(read: Read): Read {
  const items = list(read)
  return (t, p) => new Set(items(t, p) as unknown[])
}

function map(key: Read, value: Read): Read {
  return (t, p) => {
    const first = p + t.i32[2 * p]
    const entries = Array.from(
      { length: t.i32[2 * p + 1] },
      (_, index) => [key(t, first + 2 * index), value(t, first + 2 * index + 1)] as const,
    )
    return new Map(entries)
  }
}

function record(key: Read, value: Read): Read {
  const entries = map(key, value)
  // fromEntries defines, so `__proto__` is a key like any other.
  return (t, p) => Object.fromEntries(entries(t, p) as Map<string, unknown>)
}
