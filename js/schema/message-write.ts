/** Writers of messages as closures over the schema. */
import { checkEmpty, noMember, own, required } from '../core/tape/checks.js'
import { absent } from '../core/tape/errors.js'
import type { OutTape } from '../core/tape/writer.js'
import { within, type Write } from './interpret-write.js'
import { absenceOf, isOneof, propertiesOf, type MessageField, type MessageOneof } from './message.js'
import type { Schema, Type } from './model.js'
import { kindOf, presenceSlots, tapeFields } from './types.js'
import { unknownWriter } from './unknown.js'

/** What a writer of messages asks of the others. */
export interface MessageWriting {
  readonly schema: Schema
  /** A writer of a value into a slot. */
  of(type: Type): Write
}

/** Writes the part of a message that a property is; `q` is the message's first slot. */
type Part = (t: OutTape, q: number, words: Int32Array, message: object) => void

/** A writer that lays a message behind everything and returns its first slot. */
export function messageWriter(writing: MessageWriting, index: number): (t: OutTape, value: unknown) => number {
  const struct = writing.schema.structs[index]
  const first = presenceSlots(struct)
  const size = first + tapeFields(struct)
  const parts = propertiesOf(struct).map((property) =>
    isOneof(property) ? oneofWriter(writing, property, first) : fieldWriter(writing, property, first),
  )
  const unknown = unknownWriter(struct)
  return (t, value) => {
    if (typeof value !== 'object' || value === null) required('', 'struct', value)
    const q = t.alloc(size)
    const words = new Int32Array(2 * first)
    for (const part of parts) part(t, q, words, value)
    unknown(value, t, q, words)
    if (words.every((word) => word === 0)) checkEmpty('', 'struct', value)
    t.i32.set(words, 2 * q)
    return q
  }
}

function fieldWriter(writing: MessageWriting, property: MessageField, first: number): Part {
  const { name, position, field } = property
  const absence = absenceOf(field)
  // A default is inherited where there is no value.
  const isOwn = absence === 'given'
  const write = writing.of(field.type)
  const isZero = absence === 'zero' ? zeroTest(writing.schema, field.type) : () => false
  return (t, q, words, message) => {
    const value = isOwn ? own(message, name) : (message as Record<string, unknown>)[name]
    if (value === undefined || value === null) {
      if (absence === 'never') absent(`.${name}`, 'value')
      return
    }
    try {
      write(t, q + first + position, value)
    } catch (error) {
      throw within(`.${name}`, error)
    }
    if (!isZero(value)) mark(words, position)
  }
}

function oneofWriter(writing: MessageWriting, oneof: MessageOneof, first: number): Part {
  const members = new Map<unknown, { position: number; write: Write }>(
    oneof.members.map(({ name, position, field }) => [name, { position, write: writing.of(field.type) }]),
  )
  return (t, q, words, message) => {
    const given = (message as Record<string, unknown>)[oneof.name]
    if (given === undefined || given === null) return
    if (typeof given !== 'object') required(`.${oneof.name}`, 'oneof', given)
    const { case: name, value } = given as { readonly case?: unknown; readonly value?: unknown }
    if (name === undefined) return
    const member = members.get(name)
    if (member === undefined) noMember(`.${oneof.name}`, name)
    try {
      member.write(t, q + first + member.position, value)
    } catch (error) {
      throw within(`.${oneof.name}.${name as string}`, error)
    }
    mark(words, member.position)
  }
}

function mark(words: Int32Array, position: number): void {
  words[position >> 5] |= 1 << (position & 31)
}

/** Whether a value that was written is what an absent field is read as. */
function zeroTest(schema: Schema, type: Type): (value: unknown) => boolean {
  switch (kindOf(schema, type)) {
    case 'bool':
      return (value) => value === false
    case 'float':
    case 'double':
      // Minus zero is another value.
      return (value) => Object.is(value, 0)
    case 'i64':
    case 'sint64':
    case 'sfixed64':
    case 'uint64':
    case 'fixed64':
      return (value) => value === 0n || value === 0
    case 'string':
      return (value) => value === ''
    case 'binary':
    case 'list':
      return (value) => (value as ArrayLike<unknown>).length === 0
    case 'map':
      return (value) => (value as ReadonlyMap<unknown, unknown>).size === 0
    case 'record':
      return (value) => Object.keys(value as object).length === 0
    case 'struct':
      return () => false
    default:
      return (value) => value === 0
  }
}
