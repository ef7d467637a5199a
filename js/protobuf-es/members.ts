/** How the properties of a message here go with those of protobuf-es. */
import { create, ScalarType, type DescField, type DescMessage } from '@bufbuild/protobuf'
import { isWrapperDesc } from '@bufbuild/protobuf/wkt'

import { isOneof, propertiesOf } from '../schema/message.js'
import type { Schema } from '../schema/model.js'

/** A property with one field. */
export interface FieldMember {
  /** Its name here, and in protobuf-es. */
  readonly ours: string
  readonly theirs: string
  readonly field: DescField
}

/** A oneof. */
export interface OneofMember {
  readonly ours: string
  readonly theirs: string
  readonly cases: readonly FieldMember[]
}

/** What is known of a message. */
export interface Members {
  readonly desc: DescMessage
  readonly all: readonly (FieldMember | OneofMember)[]
  /** What gives its defaults: a message that has one has only what is set as its own. Where there is none, it is a plain object. */
  readonly prototype: object | undefined
}

const known = new WeakMap<DescMessage, Members>()

/** The properties of a message. */
function membersOf(desc: DescMessage, schema: Schema): Members {
  let found = known.get(desc)
  if (found === undefined) {
    found = makeMembers(desc, schema)
    known.set(desc, found)
  }
  return found
}

/**
 * What is done to the messages of each type, made once for each, when the first one comes.
 * @param make makes it from the type's properties
 */
export function ofEach(
  schema: Schema,
  make: (members: Members) => (message: unknown) => unknown,
): (desc: DescMessage) => (message: unknown) => unknown {
  const changes = new Map<DescMessage, (message: unknown) => unknown>()
  return (desc) => {
    let change = changes.get(desc)
    if (change === undefined) {
      // Entered before it is made: a message may contain itself.
      let made: ((message: unknown) => unknown) | undefined
      change = (message) => (made ??= make(membersOf(desc, schema)))(message)
      changes.set(desc, change)
    }
    return change
  }
}

function makeMembers(desc: DescMessage, schema: Schema): Members {
  const struct = schema.structs.find(({ name }) => name === desc.typeName)
  if (struct === undefined) throw new TypeError(`the descriptors of ${desc.typeName} are not among its file's`)
  const byNumber = new Map(desc.fields.map((field) => [field.number, field]))
  const member = (number: number, ours: string): FieldMember => {
    const field = byNumber.get(number)
    if (field === undefined) throw new TypeError(`${desc.typeName} has no field ${number}`)
    return { ours, theirs: field.localName, field }
  }
  const all = propertiesOf(struct).map((property): FieldMember | OneofMember => {
    if (!isOneof(property)) return member(property.field.id, property.name)
    const cases = property.members.map(({ field, name }) => member(field.id, name))
    return { ours: property.name, theirs: cases[0].field.oneof?.localName ?? property.name, cases }
  })
  const prototype: unknown = Object.getPrototypeOf(create(desc))
  return { desc, all, prototype: prototype === Object.prototype ? undefined : (prototype as object) }
}

/** True for a field that has the value of a wrapper (`google.protobuf.StringValue`) in its place. */
export function isUnwrapped(field: DescField): boolean {
  return field.fieldKind === 'message' && field.oneof === undefined && isWrapperDesc(field.message)
}

/** True for a field that has a JSON object in the place of a `google.protobuf.Struct`. */
export function isJsonObject(field: DescField): boolean {
  return field.message?.typeName === 'google.protobuf.Struct' && field.parent.typeName !== 'google.protobuf.Value'
}

/** True for a field whose 64-bit integers are strings (`jstype = JS_STRING`). */
export function isLongAsString(field: DescField): boolean {
  return 'longAsString' in field && field.longAsString
}

/** True for a field, or values of one, of bytes. */
export function isOfBytes(field: DescField): boolean {
  return field.scalar === ScalarType.BYTES
}
