/** Messages as they are read here, in the shape of protobuf-es. */
import { ScalarType, type DescField, type DescMessage, type UnknownField } from '@bufbuild/protobuf'
import { BinaryReader } from '@bufbuild/protobuf/wire'

import { define } from '../core/tape/checks.js'
import type { Schema } from '../schema/model.js'
import { isJsonObject, isLongAsString, isUnwrapped, ofEach, type FieldMember, type Members } from './members.js'
import { structToJson } from './struct-value.js'

/** A message. */
type Fields = Record<string, unknown>
/** Undefined where nothing is to be done. */
type Change = ((value: unknown) => unknown) | undefined

/** Gives messages of one schema the shape of protobuf-es. */
export class ToTheirs {
  /** What makes a message of this type theirs. */
  readonly of: (desc: DescMessage) => (message: unknown) => unknown

  constructor(schema: Schema) {
    this.of = ofEach(schema, (members) => this.#make(members))
  }

  #make({ desc, all, prototype }: Members): (message: unknown) => unknown {
    const steps = all.map((member) =>
      'cases' in member
        ? { ...member, change: this.#oneof(member.cases) }
        : { ...member, change: this.#field(member.field) },
    )
    return (message) => {
      const ours = message as Fields
      const theirs = (prototype === undefined ? {} : Object.create(prototype)) as Fields
      theirs.$typeName = desc.typeName
      for (const { ours: from, theirs: to, change } of steps) {
        // A default of ours is inherited as well, and so theirs.
        const value = prototype === undefined || Object.hasOwn(ours, from) ? ours[from] : undefined
        if (value !== undefined) theirs[to] = change === undefined ? value : change(value)
      }
      if (ours.$unknown instanceof Uint8Array) theirs.$unknown = unknownFields(ours.$unknown)
      return theirs
    }
  }

  #oneof(cases: readonly FieldMember[]): Change {
    const changes = new Map(
      cases.map(({ ours, theirs, field }) => [ours, { name: theirs, change: this.#single(field) }]),
    )
    return (oneof) => {
      const { case: name, value } = oneof as { case: string | undefined; value: unknown }
      const found = name === undefined ? undefined : changes.get(name)
      if (found === undefined) return { case: undefined }
      return { case: found.name, value: found.change === undefined ? value : found.change(value) }
    }
  }

  #field(field: DescField): Change {
    if (isUnwrapped(field)) return (wrapper) => (wrapper as { value: unknown }).value
    const change = this.#single(field)
    if (field.fieldKind === 'map') return mapChange(field.mapKey, change)
    if (field.fieldKind !== 'list' || change === undefined) return change
    return (list) => (list as unknown[]).map(change)
  }

  /** One value of a field, an element or a value of a map. */
  #single(field: DescField): Change {
    if (isJsonObject(field)) return structToJson as Change
    if (field.message !== undefined) return this.of(field.message)
    return isLongAsString(field) ? String : undefined
  }
}

/** Maps are plain objects whatever their keys are. */
function mapChange(key: ScalarType, change: Change): Change {
  if (key === ScalarType.STRING && change === undefined) return undefined
  return (map) => {
    const record: Fields = {}
    const entries = map instanceof Map ? (map as Map<unknown, unknown>) : Object.entries(map as Fields)
    for (const [name, value] of entries) define(record, String(name), change === undefined ? value : change(value))
    return record
  }
}

function unknownFields(bytes: Uint8Array): UnknownField[] {
  const reader = new BinaryReader(bytes)
  const fields: UnknownField[] = []
  while (reader.pos < reader.len) {
    const [no, wireType] = reader.tag()
    fields.push({ no, wireType, data: reader.skip(wireType, no) })
  }
  return fields
}
