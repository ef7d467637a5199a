/** Readers of messages as closures over the schema. */
import { define, defaults } from '../core/tape/checks.js'
import { absent } from '../core/tape/errors.js'
import type { Read } from './interpret-read.js'
import {
  absenceOf,
  isOneof,
  propertiesOf,
  type MessageField,
  type MessageOneof,
  type MessageProperty,
} from './message.js'
import type { Int64, Schema, Type } from './model.js'
import { kindOf, presenceSlots, structName } from './types.js'
import { unknownReader } from './unknown.js'

/** What a reader of messages asks of the others. */
export interface MessageReading {
  readonly schema: Schema
  readonly int64: Int64
  /** A reader of the value in a slot. */
  of(type: Type, path: string): Read
  /** A fresh value of a field's default. */
  fallback(field: MessageField['field']): () => unknown
}

/** A reader of the message whose first presence slot it is given. */
export function messageReader(reading: MessageReading, index: number): Read {
  const { schema } = reading
  const struct = schema.structs[index]
  const name = structName(schema, index)
  const first = presenceSlots(struct)
  const properties = propertiesOf(struct)
  const parts = properties.map((property) =>
    isOneof(property) ? oneofReader(reading, property, name, first) : fieldReader(reading, property, name, first),
  )
  const prototype = prototypeOf(reading, properties)
  const unknown = unknownReader(struct)
  return (t, p) => {
    const message = Object.create(prototype) as Record<string, unknown>
    for (const part of parts) part(message, t, p)
    unknown(message, t, p)
    return message
  }
}

/** What a message without any field is read as; made anew each time. Fields that have to be there are not. */
export function blankMessage(reading: MessageReading, index: number): () => object {
  const properties = propertiesOf(reading.schema.structs[index])
  const prototype = prototypeOf(reading, properties)
  return () => {
    const message = Object.create(prototype) as Record<string, unknown>
    for (const property of properties) {
      if (isOneof(property)) message[property.name] = { case: undefined, value: undefined }
      else if (absenceOf(property.field) === 'zero') message[property.name] = zero(reading, property.field.type)
      else if (absenceOf(property.field) === 'undefined') message[property.name] = undefined
    }
    return message
  }
}

/** What a message inherits: its defaults, if it has any. */
function prototypeOf(reading: MessageReading, properties: readonly MessageProperty[]): object {
  const given = properties.flatMap((property) =>
    !isOneof(property) && absenceOf(property.field) === 'given'
      ? [[property.name, reading.fallback(property.field)] as const]
      : [],
  )
  return given.length === 0 ? Object.prototype : defaults(given)
}

type Part = (message: object, ...from: Parameters<Read>) => void

function fieldReader(reading: MessageReading, property: MessageField, message: string, first: number): Part {
  const { name, position, field } = property
  const path = `${message}.${name}`
  const read = reading.of(field.type, path)
  const absence = absenceOf(field)
  return (into, t, p) => {
    if (isPresent(t, p, position)) define(into, name, read(t, p + first + position))
    else if (absence === 'never') absent(path, 'value')
    else if (absence === 'zero') define(into, name, zero(reading, field.type))
    else if (absence === 'undefined') define(into, name, undefined)
  }
}

function oneofReader(reading: MessageReading, oneof: MessageOneof, message: string, first: number): Part {
  const members = oneof.members.map(({ name, position, field }) => ({
    name,
    position,
    read: reading.of(field.type, `${message}.${oneof.name}.${name}`),
  }))
  return (into, t, p) => {
    const found = members.find(({ position }) => isPresent(t, p, position))
    const value =
      found === undefined
        ? { case: undefined, value: undefined }
        : { case: found.name, value: found.read(t, p + first + found.position) }
    define(into, oneof.name, value)
  }
}

function isPresent(t: Parameters<Read>[0], p: number, position: number): boolean {
  return (t.i32[2 * p + (position >> 5)] & (1 << (position & 31))) !== 0
}

/** What a field without presence of its own is while it is absent. */
function zero({ schema, int64 }: MessageReading, type: Type): unknown {
  switch (kindOf(schema, type)) {
    case 'bool':
      return false
    case 'i64':
    case 'sint64':
    case 'sfixed64':
    case 'uint64':
    case 'fixed64':
      return int64 === 'bigint' ? 0n : 0
    case 'string':
      return ''
    case 'binary':
      return new Uint8Array()
    case 'list':
      return []
    case 'map':
      return new Map()
    case 'record':
      return {}
    case 'struct':
      return undefined
    default:
      return 0
  }
}
