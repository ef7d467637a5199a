/** JSON to messages. */
import type { MessageDescriptor } from '../core/descriptor.js'
import { isRecord } from '../core/tape/checks.js'
import { absent, describe, TapeTypeError } from '../core/tape/errors.js'
import { keyOf, scalarOf } from '../schema/json-scalars.js'
import { checkDepth } from '../schema/json-value.js'
import { absenceOf, isOneof, propertiesOf, type MessageField, type MessageOneof } from '../schema/message.js'
import type { Struct, Type } from '../schema/model.js'
import { protoCamelCase } from '../schema/names.js'
import { enumOf, kindOf, structName } from '../schema/types.js'
import type { FromJsonOptions } from './json.js'
import { knownOf, type Known } from './schema-of.js'
import { readWellKnown } from './well-known-read.js'

/** An element that is passed over: a name of an enum that is not known. */
const SKIPPED = Symbol('skipped')

/** Where a name in JSON leads. */
type Target = MessageField & { readonly oneof: MessageOneof | undefined }

const targets = new WeakMap<Struct, ReadonlyMap<string, Target>>()

/** Reads one value, and what is in it. */
export class JsonReader {
  private depth = 0

  constructor(readonly options: FromJsonOptions) {}

  /** A message that a descriptor tells of. */
  root(message: MessageDescriptor, json: unknown): object {
    const known = knownOf(message)
    return this.message(known, message.index, json, structName(known.interpreter.schema, message.index))
  }

  /** A message, in the form its type has. */
  message(known: Known, index: number, json: unknown, path: string): object {
    checkDepth(path, ++this.depth)
    const message = readWellKnown(this, known, index, json, path) ?? this.object(known, index, json, path)
    this.depth--
    return message
  }

  /** A message from an object of its fields. */
  object(known: Known, index: number, json: unknown, path: string): object {
    if (!isRecord(json)) throw new TapeTypeError(path, `expected an object, got ${describe(json)}`)
    const { interpreter } = known
    const struct = interpreter.schema.structs[index]
    const message = interpreter.blank(index) as Record<string, unknown>
    const byName = targetsOf(struct)
    const seen = new Set<unknown>()
    for (const [name, value] of Object.entries(json)) {
      const target = byName.get(name)
      if (target === undefined) {
        if (this.options.ignoreUnknownFields === true) continue
        throw new TapeTypeError(path, `it has no field ${JSON.stringify(name)}`)
      }
      const at = target.oneof === undefined ? `${path}.${target.name}` : `${path}.${target.oneof.name}.${target.name}`
      if (seen.has(target)) throw new TapeTypeError(at, 'it is there twice, under both of its names')
      seen.add(target)
      if (value === null && !takesNull(known, target.field.type)) continue
      const read = this.value(known, target.field.type, value, at)
      if (read === SKIPPED) continue
      if (target.oneof === undefined) {
        message[target.name] = read
      } else {
        if (seen.has(target.oneof))
          throw new TapeTypeError(`${path}.${target.oneof.name}`, 'more than one of its cases is there')
        seen.add(target.oneof)
        message[target.oneof.name] = { case: target.name, value: read }
      }
    }
    for (const property of propertiesOf(struct)) {
      if (isOneof(property) || absenceOf(property.field) !== 'never' || Object.hasOwn(message, property.name)) continue
      absent(`${path}.${property.name}`, 'value')
    }
    return message
  }

  /** The value of a field, or an element of one; SKIPPED if it is to be passed over. */
  value(known: Known, type: Type, json: unknown, path: string): unknown {
    const kind = kindOf(known.interpreter.schema, type)
    if (kind === 'enum') return this.enum(known, (type as { enum: number }).enum, json, path)
    if (kind === 'struct') return this.message(known, (type as { struct: number }).struct, json, path)
    if (kind === 'list') return this.list(known, (type as { list: Type }).list, json, path)
    if (kind === 'map' || kind === 'record') {
      const entries = this.entries(known, (type as { map: readonly [Type, Type] }).map, json, path)
      // fromEntries defines, so `__proto__` is a key like any other.
      return kind === 'map' ? new Map(entries) : Object.fromEntries(entries as [string, unknown][])
    }
    return scalarOf(kind, known.interpreter.int64, json, path)
  }

  private list(known: Known, type: Type, json: unknown, path: string): unknown[] {
    if (!Array.isArray(json)) throw new TapeTypeError(path, `expected an array, got ${describe(json)}`)
    return (json as unknown[])
      .map((item, position) => this.element(known, type, item, `${path}[${position}]`))
      .filter((item) => item !== SKIPPED)
  }

  private entries(
    known: Known,
    [key, value]: readonly [Type, Type],
    json: unknown,
    path: string,
  ): [unknown, unknown][] {
    if (!isRecord(json)) throw new TapeTypeError(path, `expected an object, got ${describe(json)}`)
    return Object.entries(json)
      .map(([name, item]): [unknown, unknown] => {
        const at = `${path}[${JSON.stringify(name)}]`
        return [
          keyOf(kindOf(known.interpreter.schema, key), known.interpreter.int64, name, at),
          this.element(known, value, item, at),
        ]
      })
      .filter(([, item]) => item !== SKIPPED)
  }

  private element(known: Known, type: Type, json: unknown, path: string): unknown {
    if (json === null && !takesNull(known, type)) throw new TapeTypeError(path, 'an element cannot be null')
    return this.value(known, type, json, path)
  }

  private enum(known: Known, index: number, json: unknown, path: string): unknown {
    const { name, members, closed } = enumOf(known.interpreter.schema, index)
    if (name === 'google.protobuf.NullValue' && json === null) return 0
    if (typeof json === 'string') {
      const member = members.find((candidate) => candidate.name === json)
      if (member !== undefined) return member.value
      if (this.options.ignoreUnknownFields === true) return SKIPPED
      throw new TapeTypeError(path, `${name} has no member ${JSON.stringify(json)}`)
    }
    if (typeof json !== 'number' || (json | 0) !== json) {
      throw new TapeTypeError(path, `expected a name or a number of ${name}, got ${describe(json)}`)
    }
    if (closed === true && !members.some(({ value }) => value === json)) {
      if (this.options.ignoreUnknownFields === true) return SKIPPED
      throw new TapeTypeError(path, `${name} has no member ${json}`)
    }
    return json + 0
  }
}

/** True for types of which `null` is a value; elsewhere it means that a field is absent. */
function takesNull({ interpreter }: Known, type: Type): boolean {
  if (typeof type === 'string') return false
  if ('enum' in type) return enumOf(interpreter.schema, type.enum).name === 'google.protobuf.NullValue'
  return 'struct' in type && interpreter.schema.structs[type.struct].name === 'google.protobuf.Value'
}

/** Fields by the names they may have in JSON: that of JSON, and that of the IDL. */
function targetsOf(struct: Struct): ReadonlyMap<string, Target> {
  let found = targets.get(struct)
  if (found === undefined) {
    const all = propertiesOf(struct).flatMap((property): Target[] =>
      isOneof(property)
        ? property.members.map((member) => ({ ...member, oneof: property }))
        : [{ ...property, oneof: undefined }],
    )
    found = new Map([
      ...all.map((target) => [target.field.name, target] as const),
      ...all.map((target) => [target.field.json_name ?? protoCamelCase(target.field.name), target] as const),
    ])
    targets.set(struct, found)
  }
  return found
}
