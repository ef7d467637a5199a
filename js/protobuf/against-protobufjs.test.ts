/** Bytes of any kind, read here and by protobufjs: both read the same, or both refuse. */
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'

import test from 'ava'
import fc from 'fast-check'
import protobufjs from 'protobufjs'

import type { MessageDescriptor } from '../core/descriptor.js'
import { VoloError } from '../core/errors.js'
import { fromBinary, toBinary } from '../grpc/message-codec.js'
import { compileSchema } from '../schema/compile.js'
import { isOneof, propertiesOf } from '../schema/message.js'
import type { Schema, Struct } from '../schema/model.js'
import { parseProto } from '../schema/parse.js'
import { check } from '../schema/property.test.helper.js'

/** Runs of each property; more with VOLO_PROPERTY_RUNS. */
const RUNS = Number(process.env.VOLO_PROPERTY_RUNS ?? 500)

/** A message as both have it. */
interface Pair {
  readonly schema: Schema
  readonly struct: Struct
  readonly ours: MessageDescriptor
  readonly theirs: protobufjs.Type
}

function load(name: string): Pair {
  const file = fileURLToPath(new URL(`../../tests/fixtures/protobuf/${name}.proto`, import.meta.url))
  const schema = parseProto([file])
  const ours = compileSchema(schema).messages.find((message) => message.name === `volo.${name}.Every`)
  if (ours === undefined) throw new TypeError(`${name}.proto has no Every`)
  const theirs = new protobufjs.Root().loadSync(file).resolveAll().lookupType(ours.name)
  return { schema, struct: schema.structs[ours.index], ours, theirs }
}

// ---- bytes ----

const varint = (value: bigint, longer = 0): number[] => {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, value)
  do {
    bytes.push(Number(rest & 127n) | 128)
    rest >>= 7n
  } while (rest > 0n)
  for (let n = 0; n < longer && bytes.length < 10; n += 1) bytes.push(128)
  bytes[bytes.length - 1] &= 127
  return bytes
}

const interesting = fc.oneof(
  fc.bigInt({ min: -3n, max: 6n }),
  fc.constantFrom(2n ** 31n - 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, -(2n ** 31n), 2n ** 63n - 1n, -(2n ** 63n)),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
)
const delimited = (inner: readonly number[]): number[] => [...varint(BigInt(inner.length)), ...inner]
const text = fc.string({ unit: 'grapheme', maxLength: 6 }).map((value) => [...Buffer.from(value)])
const raw = fc.uint8Array({ maxLength: 12 }).map((bytes) => [...bytes])

/** Fields that may well be those of the message, and now and then are not. */
const { fields } = fc.letrec<{ field: number[]; fields: number[] }>((tie) => ({
  field: fc
    .tuple(
      fc.oneof(
        { weight: 20, arbitrary: fc.integer({ min: 1, max: 46 }) },
        fc.constantFrom(0, 99, 536870911, 536870912),
      ),
      fc.oneof(
        fc.tuple(
          fc.constant(0),
          fc.tuple(interesting, fc.constantFrom(0, 0, 0, 1, 5)).map(([v, n]) => varint(v, n)),
        ),
        fc.tuple(
          fc.constant(1),
          fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => [...bytes]),
        ),
        fc.tuple(
          fc.constant(5),
          fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes) => [...bytes]),
        ),
        fc.tuple(fc.constant(2), fc.oneof({ maxDepth: 4 }, text, raw, tie('fields'), tie('fields')).map(delimited)),
        fc.tuple(fc.constant(3), tie('fields')),
        fc.tuple(fc.constantFrom(4, 6, 7), fc.constant([])),
      ),
    )
    .map(([number, [wire, payload]]) => {
      const key = (type: number): number[] => varint(BigInt(number) * 8n + BigInt(type))
      return wire === 3 ? [...key(3), ...payload, ...key(4)] : [...key(wire), ...payload]
    }),
  fields: fc.array(tie('field'), { maxLength: 5, depthIdentifier: 'fields' }).map((list) => list.flat()),
}))

/** The same, damaged at some places. */
const damaged = fc
  .tuple(fields, fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 2 }), fc.nat(200))
  .map(([bytes, changes, end]) => {
    const copy = [...bytes]
    for (const [at, value] of changes) if (copy.length > 0) copy[at % copy.length] = value
    return end % 3 === 0 ? copy.slice(0, end % (copy.length + 1)) : copy
  })

// ---- values ----

/** A value of ours as protobufjs shows it. */
function shown(schema: Schema, type: Struct['fields'][number]['type'], value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  if (value instanceof Uint8Array) return [...value]
  if (typeof type === 'object' && 'list' in type) {
    return (value as unknown[]).map((item) => shown(schema, type.list, item))
  }
  if (typeof type === 'object' && 'map' in type) {
    const entries = value instanceof Map ? [...(value as Map<unknown, unknown>)] : Object.entries(value as object)
    return Object.fromEntries(entries.map(([key, item]) => [String(key), shown(schema, type.map[1], item)]))
  }
  if (typeof type === 'object' && 'struct' in type) return shownMessage(schema, schema.structs[type.struct], value)
  return value
}

function shownMessage(schema: Schema, struct: Struct, message: unknown): Record<string, unknown> {
  const fields = message as Record<string, unknown>
  const all: Record<string, unknown> = {}
  for (const property of propertiesOf(struct)) {
    if (isOneof(property)) {
      const { case: name, value } = fields[property.name] as { case: string | undefined; value: unknown }
      const member = property.members.find((it) => it.name === name)
      if (member !== undefined) all[member.name] = shown(schema, member.field.type, value)
    } else if (fields[property.name] !== undefined) {
      all[property.name] = shown(schema, property.field.type, fields[property.name])
    }
  }
  return all
}

/** A message of theirs, with what is inherited where ours has it, too. */
function theirsShown(type: protobufjs.Type, message: protobufjs.Message): Record<string, unknown> {
  const options = { longs: String, bytes: Array, arrays: true, objects: true } as const
  const all = type.toObject(message, options)
  for (const field of type.fieldsArray) defaults(field, all)
  return all
}

function defaults(field: protobufjs.Field, all: Record<string, unknown>): void {
  const { resolvedType } = field
  if (all[field.name] === undefined) {
    if (field.partOf !== null || resolvedType instanceof protobufjs.Type) return
    const hasDefault = field.options?.default !== undefined
    if (field.hasPresence && !hasDefault) return
    const value: unknown = field.typeDefault === undefined || hasDefault ? field.defaultValue : field.typeDefault
    all[field.name] = isLong(value) ? String(value) : value
    return
  }
  if (!(resolvedType instanceof protobufjs.Type)) return
  const value = all[field.name]
  const list = Array.isArray(value) ? value : field.map ? Object.values(value as object) : [value]
  for (const item of list as Record<string, unknown>[])
    for (const inner of resolvedType.fieldsArray) defaults(inner, item)
}

/** What protobufjs has for integers of 64 bits. */
function isLong(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'unsigned' in value
}

type Outcome = { readonly value: Record<string, unknown> } | { readonly refusal: string }

function ourOutcome({ schema, struct, ours }: Pair, bytes: Uint8Array): Outcome {
  try {
    return { value: shownMessage(schema, struct, fromBinary(ours, bytes)) }
  } catch (error) {
    if (VoloError.is(error) && error.code === 'INVALID_ARGUMENT') return { refusal: error.message }
    throw error
  }
}

function theirOutcome({ theirs }: Pair, bytes: Uint8Array): Outcome {
  try {
    return { value: theirsShown(theirs, theirs.decode(bytes)) }
  } catch (error) {
    return { refusal: (error as Error).message }
  }
}

/** What protobufjs takes and we do not: it drops the bits of a tenth byte that no 64-bit integer has. */
const knownRefusals = /a varint has more than 64 bits/

for (const name of ['every3', 'every2']) {
  const pair = load(name)
  for (const [kind, bytes] of [
    ['fields', fields],
    ['damaged fields', damaged],
  ] as const) {
    test(`${name}: ${kind} are the same here and in protobufjs, or nothing in both`, (t) => {
      let readable = 0
      check(
        fc.property(bytes, (list) => {
          const wire = Uint8Array.from(list)
          const [ours, theirs] = [ourOutcome(pair, wire), theirOutcome(pair, wire)]
          const about = `${Buffer.from(wire).toString('hex')}\n${JSON.stringify(ours)}\n${JSON.stringify(theirs)}`
          if ('refusal' in ours || 'refusal' in theirs) {
            if ('refusal' in ours && knownRefusals.test(ours.refusal)) return
            if ('value' in ours || 'value' in theirs) throw new Error(about)
            return
          }
          readable += 1
          if (!isDeepStrictEqual(ours.value, theirs.value)) throw new Error(about)
          // What either writes of it reads the same here.
          const again = [
            toBinary(pair.ours, fromBinary(pair.ours, wire)),
            pair.theirs.encode(pair.theirs.decode(wire)).finish(),
          ]
          for (const written of again) {
            if (!isDeepStrictEqual(ourOutcome(pair, written), ours)) throw new Error(about)
          }
        }),
        RUNS,
      )
      t.true(readable > RUNS / 20, `${readable} of ${RUNS} could be read`)
    })
  }
}
