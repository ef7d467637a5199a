/** Constants and default values: from the schema's form to JavaScript, as a value or as text. */
import type { Int64, Schema, Struct, Type, Value } from './model.js'
import { kindOf, typeName } from './types.js'

/** A constant with everything resolved: the defaults of its structs filled in, every field in its place. */
export type Literal =
  | { readonly kind: 'undefined' }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'bigint'; readonly value: bigint }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'bytes'; readonly value: string }
  | { readonly kind: 'base64'; readonly value: string }
  | { readonly kind: 'array' | 'set'; readonly items: readonly Literal[] }
  | { readonly kind: 'map'; readonly entries: readonly (readonly [Literal, Literal])[] }
  | { readonly kind: 'object'; readonly entries: readonly (readonly [string, Literal])[] }
  | { readonly kind: 'exception'; readonly struct: number; readonly entries: readonly (readonly [string, Literal])[] }

const absent: Literal = { kind: 'undefined' }

/**
 * Resolves a value of a schema.
 * @param building structs whose defaults are being filled in, so that a default that contains itself ends.
 * @throws TypeError if the value does not fit its type, RangeError if it needs 64 bits and `int64` is `number`.
 */
export function literal(
  schema: Schema,
  int64: Int64,
  type: Type,
  value: Value,
  building: ReadonlySet<number> = new Set(),
): Literal {
  const kind = kindOf(schema, type)
  switch (kind) {
    case 'bool':
      if ('bool' in value) return { kind: 'boolean', value: value.bool }
      // Thrift's 0 and 1.
      if ('int' in value) return { kind: 'boolean', value: value.int !== '0' }
      break
    case 'i8':
    case 'i16':
    case 'i32':
    case 'sint32':
    case 'sfixed32':
    case 'uint32':
    case 'fixed32':
    case 'enum':
      if ('int' in value) return { kind: 'number', value: Number(value.int) }
      break
    case 'i64':
    case 'sint64':
    case 'sfixed64':
    case 'uint64':
    case 'fixed64':
      if ('int' in value) return integer(value.int, int64)
      break
    case 'double':
      if ('double' in value) return { kind: 'number', value: Number(value.double) }
      if ('int' in value) return { kind: 'number', value: Number(value.int) }
      break
    case 'float':
      if ('double' in value) return { kind: 'number', value: Math.fround(Number(value.double)) }
      if ('int' in value) return { kind: 'number', value: Math.fround(Number(value.int)) }
      break
    case 'string':
    case 'uuid':
      if ('string' in value) return { kind: 'string', value: value.string }
      break
    case 'binary':
      if ('string' in value) return { kind: 'bytes', value: value.string }
      if ('binary' in value) return { kind: 'base64', value: value.binary }
      break
    case 'list':
    case 'set':
      if ('list' in value && typeof type === 'object') {
        const element = 'list' in type ? type.list : 'set' in type ? type.set : undefined
        if (element === undefined) break
        const items = value.list.map((item) => literal(schema, int64, element, item, building))
        return { kind: kind === 'list' ? 'array' : 'set', items }
      }
      break
    case 'map':
    case 'record':
      if ('map' in value && typeof type === 'object' && 'map' in type) {
        const [keyType, valueType] = type.map
        const entries = value.map.map(
          ([k, v]) =>
            [literal(schema, int64, keyType, k, building), literal(schema, int64, valueType, v, building)] as const,
        )
        if (kind === 'map') return { kind: 'map', entries }
        return { kind: 'object', entries: entries.map(([k, v]) => [k.kind === 'string' ? k.value : '', v] as const) }
      }
      break
    case 'struct':
    case 'union':
      if ('struct' in value && typeof type === 'object' && 'struct' in type) {
        return structLiteral(schema, int64, type.struct, value.struct, building)
      }
      break
  }
  throw new TypeError(`the schema gives a ${typeName(schema, type)} the value ${JSON.stringify(value)}`)
}

function integer(digits: string, int64: Int64): Literal {
  if (int64 === 'bigint') return { kind: 'bigint', value: BigInt(digits) }
  const value = Number(digits)
  if (!Number.isSafeInteger(value)) throw new RangeError(`${digits} has no exact number; build with --i64 bigint`)
  return { kind: 'number', value }
}

function structLiteral(
  schema: Schema,
  int64: Int64,
  index: number,
  given: readonly (readonly [string, Value])[],
  building: ReadonlySet<number>,
): Literal {
  const struct: Struct = schema.structs[index]
  const values = new Map(given)
  if (struct.kind === 'union') {
    for (const field of struct.fields) {
      const value = values.get(field.name)
      if (value === undefined) continue
      return {
        kind: 'object',
        entries: [
          ['case', { kind: 'string', value: field.name }],
          ['value', literal(schema, int64, field.type, value, building)],
        ],
      }
    }
    return {
      kind: 'object',
      entries: [
        ['case', absent],
        ['value', absent],
      ],
    }
  }
  const within = new Set(building).add(index)
  const entries = struct.fields.map((field): readonly [string, Literal] => {
    const value = values.get(field.name)
    if (value !== undefined) return [field.name, literal(schema, int64, field.type, value, building)]
    if (field.default === undefined || building.has(index)) return [field.name, absent]
    return [field.name, literal(schema, int64, field.type, field.default, within)]
  })
  return struct.kind === 'exception' ? { kind: 'exception', struct: index, entries } : { kind: 'object', entries }
}

/** Makes the exception of a struct from its fields. */
export type MakeException = (struct: number, fields: Record<string, unknown>) => unknown

/** A fresh value of a literal. */
export function build(of: Literal, exception: MakeException): unknown {
  switch (of.kind) {
    case 'undefined':
      return undefined
    case 'bytes':
      return new TextEncoder().encode(of.value)
    case 'base64':
      return new Uint8Array(Buffer.from(of.value, 'base64'))
    case 'array':
      return of.items.map((item) => build(item, exception))
    case 'set':
      return new Set(of.items.map((item) => build(item, exception)))
    case 'map':
      return new Map(of.entries.map(([k, v]) => [build(k, exception), build(v, exception)]))
    case 'object':
      // fromEntries defines, so `__proto__` is a key like any other.
      return Object.fromEntries(of.entries.map(([k, v]) => [k, build(v, exception)]))
    case 'exception':
      return exception(of.struct, Object.fromEntries(of.entries.map(([k, v]) => [k, build(v, exception)])))
    default:
      return of.value
  }
}
