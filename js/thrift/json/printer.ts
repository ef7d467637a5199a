/** Values of Thrift to JSON, as closures over the schema. */
import { isBytes, isMapLike, isRecord, isSetLike, isUuid, noCase, own, required } from '../../core/tape/checks.js'
import { absent, TapeTypeError, type Expected } from '../../core/tape/errors.js'
import type { Interpreter } from '../../schema/interpret.js'
import { within } from '../../schema/interpret-write.js'
import { checkDepth } from '../../schema/json-value.js'
import type { Enum, Type } from '../../schema/model.js'
import { isInherited, isInheritedByErrors } from '../../schema/names.js'
import { enumOf, isRequired, kindOf } from '../../schema/types.js'
import type { Form } from './form.js'
import { hasNames, refuse, type MapType } from './keys.js'
import type { JsonTextOptions } from './options.js'

/** Makes JSON of a value; `depth` tells how many objects and arrays it stands in. Throws TapeTypeError with the path from the value on. */
export type Print<Json> = (value: unknown, depth: number) => Json

/** Makes printers; each struct's is made once, when it is first asked for. */
export class Printers<Json> {
  readonly #structs = new Map<number, Print<Json>>()

  constructor(
    private readonly interpreter: Interpreter,
    readonly form: Form<Json>,
    private readonly options: Omit<JsonTextOptions, 'text'>,
  ) {}

  of(type: Type): Print<Json> {
    const { form } = this
    const kind = kindOf(this.interpreter.schema, type)
    switch (kind) {
      case 'bool':
        return (value) => (typeof value === 'boolean' ? form.literal(value) : required('', 'boolean', value))
      case 'i8':
        return (value) => form.number(integerOf('i8', 24, value))
      case 'i16':
        return (value) => form.number(integerOf('i16', 16, value))
      case 'i32':
        return (value) => form.number(integerOf('i32', 0, value))
      case 'i64':
        return this.long()
      case 'double':
        return (value) => {
          if (typeof value !== 'number') required('', 'number', value)
          return Number.isFinite(value) ? form.number(value) : form.text(String(value))
        }
      case 'string':
        return (value) => (typeof value === 'string' ? form.text(value) : required('', 'string', value))
      case 'uuid':
        return (value) => (isUuid(value) ? form.text(value) : required('', 'uuid', value))
      case 'binary':
        return (value) => form.text(this.textOfBytes(value))
      case 'enum':
        return this.enum(enumOf(this.interpreter.schema, (type as { enum: number }).enum))
      default:
        return this.compound(type as Exclude<Type, string>)
    }
  }

  private compound(type: Exclude<Type, string>): Print<Json> {
    if ('struct' in type) {
      const { struct } = type
      // Looked up when it runs: a struct may contain itself.
      return (value, depth) => this.struct(struct)(value, depth)
    }
    if ('list' in type) return this.list(type.list)
    if ('set' in type) return this.set(type.set)
    if ('map' in type) return this.map(type)
    throw new TypeError('the schema has a type of an unknown kind')
  }

  /** A printer of a struct, union or exception. */
  struct(index: number): Print<Json> {
    let print = this.#structs.get(index)
    if (print === undefined) {
      print = this.interpreter.schema.structs[index].kind === 'union' ? this.union(index) : this.fields(index)
      this.#structs.set(index, print)
    }
    return print
  }

  private long(): Print<Json> {
    const { form } = this
    const { i64 = 'auto' } = this.options
    const { int64 } = this.interpreter
    return (value) => {
      const exact = longOf(int64, value)
      if (i64 === 'number') return form.digits(exact)
      const number = Number(exact)
      return i64 === 'auto' && Number.isSafeInteger(number) ? form.number(number) : form.text(String(exact))
    }
  }

  private enum({ members }: Enum): Print<Json> {
    const { form } = this
    const names = new Map<number, string>()
    for (const { name, value } of members) if (!names.has(value)) names.set(value, name)
    return (value) => {
      const number = integerOf('enum', 0, value)
      const name = this.options.enumAsName === true ? names.get(number) : undefined
      return name === undefined ? form.number(number) : form.text(name)
    }
  }

  private textOfBytes(value: unknown): string {
    if (!isBytes(value)) required('', 'Uint8Array', value)
    if (this.options.binary !== 'utf8') {
      return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
    }
    try {
      return utf8.decode(value)
    } catch {
      throw new TapeTypeError('', "the bytes are no UTF-8; binary: 'base64' has a form for them")
    }
  }

  private list(type: Type): Print<Json> {
    const print = this.of(type)
    return (value, depth) => {
      if (!Array.isArray(value)) required('', 'array', value)
      return this.items(print, value as unknown[], depth)
    }
  }

  private set(type: Type): Print<Json> {
    const print = this.of(type)
    return (value, depth) => {
      if (!isSetLike(value)) required('', 'Set', value)
      return this.items(print, value, depth)
    }
  }

  private items(print: Print<Json>, values: Iterable<unknown>, depth: number): Json {
    checkDepth('', depth + 1)
    const items: Json[] = []
    for (const item of values) {
      try {
        items.push(print(item, depth + 1))
      } catch (error) {
        throw within(`[${items.length}]`, error)
      }
    }
    return this.form.array(items)
  }

  private map(type: MapType): Print<Json> {
    const { schema } = this.interpreter
    if (!hasNames(type)) return refuse(schema, type)
    const kind = kindOf(schema, type)
    const name = this.key(type)
    const print = this.of(type.map[1])
    return (value, depth) => {
      if (kind === 'map' ? !isMapLike(value) : !isRecord(value)) {
        required('', kind === 'map' ? 'Map' : 'plain object', value)
      }
      checkDepth('', depth + 1)
      // By name: two arrays of the same bytes are two keys of a Map.
      const members = new Map<string, Json>()
      const entries = kind === 'map' ? (value as Map<unknown, unknown>) : Object.entries(value as object)
      for (const [key, item] of entries) {
        let text: string
        try {
          text = name(key)
        } catch (error) {
          throw within(' key', error)
        }
        try {
          members.set(text, print(item, depth + 1))
        } catch (error) {
          throw within(`[${JSON.stringify(text)}]`, error)
        }
      }
      return this.form.object(members)
    }
  }

  /** What a key of a map is called in JSON. */
  private key({ map: [type] }: MapType): (key: unknown) => string {
    const { schema, int64 } = this.interpreter
    const kind = kindOf(schema, type)
    switch (kind) {
      case 'bool':
        return (key) => (typeof key === 'boolean' ? String(key) : required('', 'boolean', key))
      case 'i8':
        return (key) => String(integerOf('i8', 24, key))
      case 'i16':
        return (key) => String(integerOf('i16', 16, key))
      case 'i32':
        return (key) => String(integerOf('i32', 0, key))
      case 'i64':
        return (key) => String(longOf(int64, key))
      case 'double':
        return (key) => {
          if (typeof key !== 'number') required('', 'number', key)
          return Object.is(key, -0) ? '-0' : String(key)
        }
      case 'string':
        return (key) => (typeof key === 'string' ? key : required('', 'string', key))
      case 'uuid':
        return (key) => (isUuid(key) ? key : required('', 'uuid', key))
      case 'binary':
        return (key) => this.textOfBytes(key)
      case 'enum': {
        const { members } = enumOf(schema, (type as { enum: number }).enum)
        return (key) => {
          const number = integerOf('enum', 0, key)
          const named = this.options.enumAsName === true ? members.find((member) => member.value === number) : undefined
          return named?.name ?? String(number)
        }
      }
      default:
        throw new TypeError(`a key cannot be a ${kind}`)
    }
  }

  private fields(index: number): Print<Json> {
    const struct = this.interpreter.schema.structs[index]
    const inherits = struct.kind === 'exception' ? isInheritedByErrors : isInherited
    const fields = struct.fields.map((field) => ({
      name: field.name,
      print: this.of(field.type),
      isOwn: inherits(field.name),
      // What writers put in for it.
      absent: isRequired(field)
        ? (): unknown => this.interpreter.fallback(field) ?? absent(`.${field.name}`, 'value')
        : undefined,
    }))
    return (value, depth) => {
      if (typeof value !== 'object' || value === null) required('', 'struct', value)
      checkDepth('', depth + 1)
      const members: [string, Json][] = []
      for (const { name, print, isOwn, absent: missing } of fields) {
        let given = isOwn ? own(value, name) : (value as Record<string, unknown>)[name]
        if (given === undefined || given === null) {
          if (missing === undefined) continue
          given = missing()
        }
        try {
          members.push([name, print(given, depth + 1)])
        } catch (error) {
          throw within(`.${name}`, error)
        }
      }
      return this.form.object(members)
    }
  }

  private union(index: number): Print<Json> {
    const cases = new Map(
      this.interpreter.schema.structs[index].fields.map(({ name, type }) => [name as unknown, this.of(type)]),
    )
    return (value, depth) => {
      if (typeof value !== 'object' || value === null) required('', 'union', value)
      checkDepth('', depth + 1)
      const { case: name, value: inner } = value as { readonly case?: unknown; readonly value?: unknown }
      // A case that this schema does not know arrives so.
      if (name === undefined) return this.form.object([])
      const print = cases.get(name)
      if (print === undefined) noCase('', name)
      try {
        return this.form.object([[name as string, print(inner, depth + 1)]])
      } catch (error) {
        throw within(`.${name as string}`, error)
      }
    }
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** An integer of up to 32 bits, of which `unused` are none of its type's; without minus zero. */
function integerOf(expected: Expected, unused: number, value: unknown): number {
  if (typeof value !== 'number' || (value << unused) >> unused !== value) required('', expected, value)
  return value + 0
}

function longOf(int64: 'bigint' | 'number', value: unknown): bigint {
  if (int64 === 'bigint') {
    if (typeof value !== 'bigint' || BigInt.asIntN(64, value) !== value) required('', 'bigint', value)
    return value
  }
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) required('', 'number of 64 bits', value)
  return BigInt(value)
}
