/** What a Protobuf message looks like in JavaScript: which properties it has, and which slots they are. */
import type { Enum, EnumMember, Field, Schema, Struct } from './model.js'
import { isInherited, protoCamelCase } from './names.js'

/** A field, and the name it has in JavaScript. */
export interface MessageField {
  readonly name: string
  /** Index into the message's fields: its bit, and its slot behind the presence slots. */
  readonly position: number
  readonly field: Field
}

/** A oneof: one property for all of its members. */
export interface MessageOneof {
  readonly name: string
  readonly members: readonly MessageField[]
}

/** A property of a message. */
export type MessageProperty = MessageField | MessageOneof

/** True for a oneof. */
export function isOneof(property: MessageProperty): property is MessageOneof {
  return 'members' in property
}

const known = new WeakMap<Struct, readonly MessageProperty[]>()

/**
 * The properties of a message in the order of its fields; a oneof stands where its first member does.
 *
 * Names are lowerCamelCase; where two are the same, the later one gets `_` behind it, and so does a name that every object inherits.
 */
export function propertiesOf(struct: Struct): readonly MessageProperty[] {
  let found = known.get(struct)
  if (found === undefined) {
    found = makeProperties(struct)
    known.set(struct, found)
  }
  return found
}

function makeProperties(struct: Struct): MessageProperty[] {
  const used = new Set<string>()
  const unique = (name: string): string => {
    let free = protoCamelCase(name)
    while (used.has(free) || isInherited(free)) free += '_'
    used.add(free)
    return free
  }
  const fields = struct.fields.map((field, position) => ({ name: unique(field.name), position, field }))
  const oneofs = struct.oneofs?.map((name, index) => ({
    name: unique(name),
    members: fields.filter(({ field }) => field.oneof === index),
  }))
  return fields.flatMap((field): MessageProperty[] => {
    const { oneof } = field.field
    if (oneof === undefined) return [field]
    const whole = oneofs?.[oneof]
    if (whole === undefined) throw new RangeError(`the schema has no oneof ${oneof} in ${struct.name}`)
    return whole.members[0] === field ? [whole] : []
  })
}

/** All fields with their names, those of oneofs too, in the order of the schema. */
export function fieldsOf(struct: Struct): readonly MessageField[] {
  return propertiesOf(struct)
    .flatMap((property) => (isOneof(property) ? property.members : [property]))
    .sort((a, b) => a.position - b.position)
}

/** A name of Protobuf without its package: `Outer.Inner`. */
export function withoutPackage(schema: Schema, name: string, file: number): string {
  const prefix = `${schema.files?.[file]?.package ?? ''}.`
  return prefix.length > 1 && name.startsWith(prefix) ? name.slice(prefix.length) : name
}

/**
 * How a field is when it is absent: `zero` (or empty) if it has no presence of its own, `given` by the IDL's default, or `undefined`;
 * `never` if it has to be there.
 */
export function absenceOf(field: Field): 'zero' | 'given' | 'undefined' | 'never' {
  if (field.requiredness === 'required') return 'never'
  if (field.requiredness !== 'optional') return 'zero'
  return field.default === undefined || field.oneof !== undefined ? 'undefined' : 'given'
}

/**
 * Members of an enum under the names they have in JavaScript: in Protobuf without the enum's own name in front, if all of them have
 * it there: `COLOUR_RED` of `Colour` is `RED`.
 */
export function membersOf(of: Enum, protobuf: boolean): readonly EnumMember[] {
  const own = of.name.slice(of.name.lastIndexOf('.') + 1)
  const prefix = `${own.replace(/(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, '_').toUpperCase()}_`
  const shortened = of.members.map((member) => ({ ...member, name: member.name.slice(prefix.length) }))
  const fits =
    of.members.every(({ name }) => name.startsWith(prefix)) && shortened.every(({ name }) => /^[A-Za-z_]/.test(name))
  return protobuf && fits ? shortened : of.members
}
