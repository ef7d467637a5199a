/** JSON to values of Thrift, as closures over the schema. */
import { isRecord, noCase } from '../../core/tape/checks.js'
import { absent, describe, TapeTypeError } from '../../core/tape/errors.js'
import type { Interpreter } from '../../schema/interpret.js'
import { within } from '../../schema/interpret-write.js'
import { keyOf, scalarOf, textOf, wrong } from '../../schema/json-scalars.js'
import { checkDepth } from '../../schema/json-value.js'
import type { Enum, Type } from '../../schema/model.js'
import { enumOf, isRequired, kindOf } from '../../schema/types.js'
import { hasNames, refuse, type MapType } from './keys.js'
import type { JsonTextOptions } from './options.js'

/**
 * Reads a value of JSON, whose objects are plain ones or Maps by name, and whose numbers may be bigints; `depth` tells how many objects and arrays it
 * stands in. Throws TapeTypeError with the path from the value on.
 */
export type Read = (json: unknown, depth: number) => unknown

/** Makes readers; each struct's is made once, when it is first asked for. */
export class JsonReaders {
  readonly #structs = new Map<number, Read>()

  constructor(
    private readonly interpreter: Interpreter,
    private readonly options: Omit<JsonTextOptions, 'text' | 'i64'>,
  ) {}

  of(type: Type): Read {
    const { schema, int64 } = this.interpreter
    const kind = kindOf(schema, type)
    switch (kind) {
      case 'enum':
        return enumReader(enumOf(schema, (type as { enum: number }).enum))
      case 'struct':
      case 'union': {
        const { struct } = type as { struct: number }
        // Looked up when it runs: a struct may contain itself.
        return (json, depth) => this.struct(struct)(json, depth)
      }
      case 'list':
        return this.list((type as { list: Type }).list)
      case 'set': {
        const read = this.list((type as { set: Type }).set)
        return (json, depth) => new Set(read(json, depth))
      }
      case 'map':
      case 'record':
        return this.map(type as MapType)
      case 'binary':
        if (this.options.binary === 'utf8') return (json) => new TextEncoder().encode(textOf(json, ''))
        return (json) => scalarOf(kind, int64, json, '')
      default:
        return (json) => scalarOf(kind, int64, json, '')
    }
  }

  /** A reader of a struct, union or exception. */
  struct(index: number): Read {
    let read = this.#structs.get(index)
    if (read === undefined) {
      read = this.interpreter.schema.structs[index].kind === 'union' ? this.union(index) : this.fields(index)
      this.#structs.set(index, read)
    }
    return read
  }

  /** Members of an object that a struct's reader would have to know. */
  members(json: unknown, depth: number): Iterable<[name: string, value: unknown]> {
    if (!isRecord(json)) throw new TapeTypeError('', `expected an object, got ${describe(json)}`)
    checkDepth('', depth + 1)
    return json instanceof Map ? (json as Map<string, unknown>) : Object.entries(json)
  }

  /** A member that the IDL does not know. */
  unknown(name: string): void {
    if (this.options.ignoreUnknownFields === true) return
    throw new TapeTypeError('', `it has no field ${JSON.stringify(name)}`)
  }

  private list(type: Type): (json: unknown, depth: number) => unknown[] {
    const read = this.of(type)
    return (json, depth) => {
      if (!Array.isArray(json)) throw new TapeTypeError('', `expected an array, got ${describe(json)}`)
      checkDepth('', depth + 1)
      return (json as unknown[]).map((item, position) => element(read, item, depth + 1, `[${position}]`))
    }
  }

  private map(type: MapType): Read {
    if (!hasNames(type)) return refuse(this.interpreter.schema, type)
    const isRecordLike = kindOf(this.interpreter.schema, type) === 'record'
    const keyOfName = this.key(type)
    const read = this.of(type.map[1])
    return (json, depth) => {
      const entries: [unknown, unknown][] = []
      const seen = new Set<unknown>()
      for (const [name, item] of this.members(json, depth)) {
        const at = `[${JSON.stringify(name)}]`
        let key: unknown
        try {
          key = keyOfName(name)
        } catch (error) {
          throw within(' key', error)
        }
        // The same bytes are the same key, whatever array they lie in.
        const identity = ArrayBuffer.isView(key) ? Buffer.from(key as Uint8Array).toString('latin1') : key
        if (seen.has(identity)) throw new TapeTypeError(at, 'the key is there twice, written in two ways')
        seen.add(identity)
        entries.push([key, element(read, item, depth + 1, at)])
      }
      // fromEntries defines, so `__proto__` is a key like any other.
      return isRecordLike ? Object.fromEntries(entries as [string, unknown][]) : new Map(entries)
    }
  }

  private key({ map: [type] }: MapType): (name: string) => unknown {
    const { schema, int64 } = this.interpreter
    const kind = kindOf(schema, type)
    if (kind === 'enum') {
      const byName = enumReader(enumOf(schema, (type as { enum: number }).enum))
      return (name) => (/^-?\d/.test(name) ? keyOf('i32', int64, name, '') : byName(name, 0))
    }
    if (kind === 'binary' && this.options.binary === 'utf8') return (name) => new TextEncoder().encode(textOf(name, ''))
    return (name) => keyOf(kind, int64, name, '')
  }

  private fields(index: number): Read {
    const { fields } = this.interpreter.schema.structs[index]
    const readers = new Map(fields.map(({ name, type }) => [name, this.of(type)]))
    // Writers know the defaults of others.
    const needed = fields.filter((field) => isRequired(field) && field.default === undefined).map(({ name }) => name)
    return (json, depth) => {
      const entries: [string, unknown][] = []
      for (const [name, value] of this.members(json, depth)) {
        const read = readers.get(name)
        if (read === undefined) this.unknown(name)
        else if (value !== null && value !== undefined) entries.push([name, inside(read, value, depth + 1, `.${name}`)])
      }
      for (const name of needed) {
        if (!entries.some(([given]) => given === name)) absent(`.${name}`, 'value')
      }
      return Object.fromEntries(entries)
    }
  }

  private union(index: number): Read {
    const cases = new Map(this.interpreter.schema.structs[index].fields.map(({ name, type }) => [name, this.of(type)]))
    return (json, depth) => {
      let chosen: { readonly case: string; readonly value: unknown } | undefined
      for (const [name, value] of this.members(json, depth)) {
        const read = cases.get(name)
        if (read === undefined) {
          this.unknown(name)
        } else if (value !== null && value !== undefined) {
          if (chosen !== undefined) throw new TapeTypeError('', 'more than one case is set; a union has exactly one')
          chosen = { case: name, value: inside(read, value, depth + 1, `.${name}`) }
        }
      }
      return chosen ?? noCase('', undefined)
    }
  }
}

/** Reads a part of a value. */
function inside(read: Read, json: unknown, depth: number, at: string): unknown {
  try {
    return read(json, depth)
  } catch (error) {
    throw within(at, error)
  }
}

/** Reads a part of a container, where nothing can be absent. */
function element(read: Read, json: unknown, depth: number, at: string): unknown {
  if (json === null || json === undefined) throw new TapeTypeError(at, 'an element cannot be null')
  return inside(read, json, depth, at)
}

function enumReader({ name, members }: Enum): Read {
  const byName = new Map(members.map((member) => [member.name, member.value]))
  return (json) => {
    if (typeof json === 'number' && (json | 0) === json) return json + 0
    if (typeof json !== 'string') wrong('', `a name or a number of ${name}`, json)
    const value = byName.get(json)
    if (value === undefined) throw new TapeTypeError('', `${name} has no member ${JSON.stringify(json)}`)
    return value
  }
}
