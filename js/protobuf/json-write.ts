/** Messages to JSON. */
import type { MessageDescriptor } from '../core/descriptor.js'
import { define, isBytes, isMapLike, isRecord, noMember, own, required } from '../core/tape/checks.js'
import { absent, describe, TapeTypeError, type Expected } from '../core/tape/errors.js'
import { checkDepth, type JsonValue } from '../schema/json-value.js'
import { absenceOf, isOneof, propertiesOf, type MessageField } from '../schema/message.js'
import type { Field, Type } from '../schema/model.js'
import { protoCamelCase } from '../schema/names.js'
import { enumOf, isLong, isUnsigned, kindOf, structName, type Kind } from '../schema/types.js'
import type { ToJsonOptions } from './json.js'
import { knownOf, type Known } from './schema-of.js'
import { writeWellKnown } from './well-known-write.js'

type Fields = Record<string, unknown>

/** Writes one value, and what is in it. */
export class JsonWriter {
  private depth = 0

  constructor(readonly options: ToJsonOptions) {}

  /** A message that a descriptor tells of. */
  root(message: MessageDescriptor, value: unknown): JsonValue {
    const known = knownOf(message)
    return this.message(known, message.index, value, structName(known.interpreter.schema, message.index))
  }

  /** A message, in the form its type has. */
  message(known: Known, index: number, value: unknown, path: string): JsonValue {
    if (typeof value !== 'object' || value === null) required(path, 'struct', value)
    checkDepth(path, ++this.depth)
    const special = writeWellKnown(this, known, index, value as Fields, path)
    const json = special === undefined ? this.object(known, index, value as Fields, path) : special
    this.depth--
    return json
  }

  /** A message as an object of its fields. */
  object(known: Known, index: number, message: Fields, path: string): Record<string, JsonValue> {
    const json: Record<string, JsonValue> = {}
    const put = ({ field }: MessageField, value: unknown, at: string): void => {
      define(json, this.nameOf(field), this.value(known, field.type, value, at))
    }
    for (const property of propertiesOf(known.interpreter.schema.structs[index])) {
      const at = `${path}.${property.name}`
      if (isOneof(property)) {
        const { case: name, value } = oneofOf(message[property.name], at)
        if (name === undefined) continue
        const member = property.members.find((candidate) => candidate.name === name)
        if (member === undefined) noMember(at, name)
        put(member, value, `${at}.${member.name}`)
        continue
      }
      const absence = absenceOf(property.field)
      const value = absence === 'given' ? own(message, property.name) : message[property.name]
      if (value === undefined || value === null) {
        if (absence === 'never') absent(at, 'value')
        if (absence === 'zero' && this.options.alwaysEmitImplicit === true) {
          define(json, this.nameOf(property.field), this.zero(known, property.field.type))
        }
      } else if (absence !== 'zero' || this.options.alwaysEmitImplicit === true || !isZero(value)) {
        put(property, value, at)
      }
    }
    return json
  }

  private nameOf({ name, json_name: given }: Field): string {
    return this.options.useProtoFieldName === true ? name : (given ?? protoCamelCase(name))
  }

  /** The value of a field, or an element of one. */
  value(known: Known, type: Type, value: unknown, path: string): JsonValue {
    const { schema } = known.interpreter
    const kind = kindOf(schema, type)
    switch (kind) {
      case 'string':
        return typeof value === 'string' ? value : required(path, 'string', value)
      case 'bool':
        return typeof value === 'boolean' ? value : required(path, 'boolean', value)
      case 'binary':
        if (!isBytes(value)) required(path, 'Uint8Array', value)
        return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
      case 'float':
      case 'double':
        if (typeof value !== 'number') required(path, 'number', value)
        return Number.isFinite(value) ? value : String(value)
      case 'enum':
        return this.enum(known, (type as { enum: number }).enum, value, path)
      case 'list':
        if (!Array.isArray(value)) required(path, 'array', value)
        return (value as unknown[]).map((item, position) =>
          this.value(known, (type as { list: Type }).list, item, `${path}[${position}]`),
        )
      case 'map':
      case 'record':
        return this.map(known, (type as { map: readonly [Type, Type] }).map[1], kind, value, path)
      case 'struct':
        return this.message(known, (type as { struct: number }).struct, value, path)
      default:
        return integerText(kind, value, path)
    }
  }

  private map(known: Known, type: Type, kind: 'map' | 'record', value: unknown, path: string): JsonValue {
    if (kind === 'map' ? !isMapLike(value) : !isRecord(value)) {
      required(path, kind === 'map' ? 'Map' : 'plain object', value)
    }
    const entries = kind === 'map' ? [...(value as Map<unknown, unknown>)] : Object.entries(value as object)
    // fromEntries defines, so `__proto__` is a key like any other.
    return Object.fromEntries(
      entries.map(([key, item]) => [
        String(key),
        this.value(known, type, item, `${path}[${JSON.stringify(String(key))}]`),
      ]),
    )
  }

  private enum(known: Known, index: number, value: unknown, path: string): JsonValue {
    const { name, members } = enumOf(known.interpreter.schema, index)
    if (typeof value !== 'number' || (value | 0) !== value) required(path, 'enum', value)
    if (name === 'google.protobuf.NullValue') return null
    if (this.options.enumAsInteger === true) return value
    return members.find((member) => member.value === value)?.name ?? value
  }

  private zero(known: Known, type: Type): JsonValue {
    const kind = kindOf(known.interpreter.schema, type)
    switch (kind) {
      case 'bool':
        return false
      case 'string':
      case 'binary':
        return ''
      case 'list':
        return []
      case 'map':
      case 'record':
        return {}
      case 'enum':
        return this.enum(known, (type as { enum: number }).enum, 0, '')
      default:
        return isLong(kind) ? '0' : 0
    }
  }
}

function oneofOf(value: unknown, path: string): { case?: unknown; value?: unknown } {
  if (value === undefined || value === null) return {}
  if (typeof value !== 'object') required(path, 'oneof', value)
  return value
}

/** True for what a field without presence has when it is absent. Minus zero is another value. */
function isZero(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) {
    if (isMapLike(value)) return value.size === 0
    return Array.isArray(value) || isBytes(value) ? value.length === 0 : Object.keys(value).length === 0
  }
  return value === '' || value === false || value === 0n || Object.is(value, 0)
}

function integerText(kind: Kind, value: unknown, path: string): JsonValue {
  const unsigned = isUnsigned(kind)
  if (!isLong(kind)) {
    const fits = typeof value === 'number' && (unsigned ? value >>> 0 : value | 0) === value
    // No minus zero.
    return fits ? value + 0 : required(path, kind as Expected, value)
  }
  if (typeof value === 'bigint') {
    const fits = (unsigned ? BigInt.asUintN(64, value) : BigInt.asIntN(64, value)) === value
    return fits ? String(value) : required(path, unsigned ? 'unsigned bigint' : 'bigint', value)
  }
  // Code built with 64-bit integers as numbers.
  if (typeof value === 'number' && Number.isSafeInteger(value) && !(unsigned && value < 0)) return String(value)
  throw new TapeTypeError(path, `expected an integer of 64 bits, got ${describe(value)}`)
}
