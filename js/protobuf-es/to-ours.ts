/** Messages in the shape of protobuf-es, or what `create()` makes one of, as they are written here. What has a wrong type stays, for the writer to refuse. */
import { ScalarType, type DescField, type DescMessage, type JsonObject, type UnknownField } from '@bufbuild/protobuf'
import { BinaryWriter } from '@bufbuild/protobuf/wire'

import { define } from '../core/tape/checks.js'
import type { Schema } from '../schema/model.js'
import {
  isJsonObject,
  isLongAsString,
  isOfBytes,
  isUnwrapped,
  ofEach,
  type FieldMember,
  type Members,
} from './members.js'
import { jsonToStruct } from './struct-value.js'

/** A message. */
type Fields = Readonly<Record<string, unknown>>
/** Undefined where nothing is to be done. */
type Change = ((value: unknown) => unknown) | undefined

/** Takes messages of one schema that have the shape of protobuf-es. */
export class ToOurs {
  /** What makes a message of this type ours. */
  readonly of: (desc: DescMessage) => (message: unknown) => unknown

  constructor(schema: Schema) {
    this.of = ofEach(schema, (members) => this.#make(members))
  }

  #make({ all, prototype }: Members): (message: unknown) => unknown {
    const steps = all.map((member) =>
      'cases' in member
        ? { ...member, change: this.#oneof(member.cases) }
        : { ...member, change: this.#field(member.field) },
    )
    return (message) => {
      if (!isObject(message)) return message
      const ours: Record<string, unknown> = {}
      let isEmpty = true
      // A message of theirs inherits what is not set; an object that is to become one may inherit what it likes.
      const inherits = prototype !== undefined && '$typeName' in message
      for (const { ours: to, theirs: from, change } of steps) {
        if (inherits && !Object.hasOwn(message, from)) continue
        const value = message[from]
        if (value === undefined || value === null) continue
        isEmpty = false
        ours[to] = change === undefined ? value : change(value)
      }
      if (Array.isArray(message.$unknown)) ours.$unknown = unknownBytes(message.$unknown as UnknownField[])
      else if (isEmpty && !('$typeName' in message)) return message
      return ours
    }
  }

  #oneof(cases: readonly FieldMember[]): Change {
    const changes = new Map(
      cases.map(({ ours, theirs, field }) => [theirs, { name: ours, change: this.#single(field) }]),
    )
    return (oneof) => {
      if (!isObject(oneof) || typeof oneof.case !== 'string') return oneof
      const found = changes.get(oneof.case)
      if (found === undefined) return oneof
      return { case: found.name, value: found.change === undefined ? oneof.value : found.change(oneof.value) }
    }
  }

  #field(field: DescField): Change {
    if (isUnwrapped(field)) {
      const inner = field.message?.fields[0]
      const change = inner === undefined ? undefined : this.#single(inner)
      return (value) => ({ value: change === undefined ? value : change(value) })
    }
    const change = this.#single(field)
    if (field.fieldKind === 'map') return mapChange(field.mapKey, change)
    if (field.fieldKind !== 'list' || change === undefined) return change
    return (list) => (Array.isArray(list) ? list.map(change) : list)
  }

  /** One value of a field, an element or a value of a map. */
  #single(field: DescField): Change {
    if (isJsonObject(field)) return (value) => (isObject(value) ? jsonToStruct(value as JsonObject) : value)
    if (field.message !== undefined) return this.of(field.message)
    if (isLongAsString(field)) return (value) => (typeof value === 'string' ? integer(value) : value)
    return isOfBytes(field) ? (value) => (Array.isArray(value) ? Uint8Array.from(value as number[]) : value) : undefined
  }
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null
}

/** An integer of any size; the text itself if it is none. */
function integer(text: string): bigint | string {
  return /^-?\d+$/.test(text) ? BigInt(text) : text
}

/** Maps that have other keys than strings are Maps here. */
function mapChange(key: ScalarType, change: Change): Change {
  const isText = key === ScalarType.STRING
  if (isText && change === undefined) return undefined
  const keyOf = keyReader(key)
  return (map) => {
    if (!isObject(map)) return map
    const entries = Object.entries(map).map(
      ([name, value]) => [name, change === undefined ? value : change(value)] as const,
    )
    if (!isText) return new Map(entries.map(([name, value]) => [keyOf(name), value]))
    const record = {}
    for (const [name, value] of entries) define(record, name, value)
    return record
  }
}

function keyReader(key: ScalarType): (name: string) => unknown {
  switch (key) {
    case ScalarType.BOOL:
      return (name) => (name === 'true' ? true : name === 'false' ? false : name)
    case ScalarType.INT64:
    case ScalarType.UINT64:
    case ScalarType.SINT64:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return integer
    case ScalarType.STRING:
      return (name) => name
    default:
      return (name) => (/^-?\d+$/.test(name) ? Number(name) : name)
  }
}

function unknownBytes(fields: readonly UnknownField[]): Uint8Array {
  const writer = new BinaryWriter()
  for (const { no, wireType, data } of fields) writer.tag(no, wireType).raw(data)
  return writer.finish()
}
