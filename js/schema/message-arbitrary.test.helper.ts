/** Random schemas of Protobuf messages and values that fit them, for property tests. */
import fc from 'fast-check'
import { Random } from './arbitrary.test.helper.js'
import { absenceOf, isOneof, propertiesOf } from './message.js'
import type { Field, Scalar, Schema, Struct, Type, Value } from './model.js'

const scalars = [
  'bool',
  'i32',
  'sint32',
  'sfixed32',
  'uint32',
  'fixed32',
  'i64',
  'sint64',
  'sfixed64',
  'uint64',
  'fixed64',
  'float',
  'double',
  'string',
  'binary',
] as const

const keys = ['bool', 'i32', 'sint32', 'uint32', 'i64', 'uint64', 'fixed64', 'string', 'string'] as const

/** Names that have caught somebody before, or that become the same in JavaScript. */
const names = [
  'id',
  'item_id',
  'item__id',
  'itemId',
  '__proto__',
  'proto',
  'constructor',
  'to_string',
  'toString',
  'then',
  'class',
  'case',
  'value',
  't',
  'v',
  'u',
  'q',
  'f0',
  'length',
]

/** What a field may be, before it is known whether it may lead to a message that comes later. */
interface Drawn {
  readonly name: string
  readonly type: Type
  readonly wish: number
}

const scalar = fc.constantFrom<Type>(...scalars)
const single = (structs: number): fc.Arbitrary<Type> =>
  fc.oneof(
    scalar,
    fc.nat(1).map((of): Type => ({ enum: of })),
    fc.nat(structs - 1).map((struct): Type => ({ struct })),
  )
const type = (structs: number): fc.Arbitrary<Type> =>
  fc.oneof(
    { arbitrary: single(structs), weight: 4 },
    single(structs).map((list): Type => ({ list })),
    fc.tuple(fc.constantFrom<Type>(...keys), single(structs)).map((map): Type => ({ map })),
  )

function struct(position: number, count: number): fc.Arbitrary<Struct> {
  const some = fc.uniqueArray(
    fc.record({
      name: fc.oneof(fc.constantFrom(...names), fc.stringMatching(/^[a-z]{1,6}(_[a-z0-9]{1,3})?$/)),
      type: type(count),
      wish: fc.nat(9),
    }),
    { selector: (field) => field.name, maxLength: 10 },
  )
  // More than 31, 32, 63 and 64 fields, for the presence bits; the unknown fields have one, too.
  const more = fc.constantFrom(0, 0, 0, 0, 0, 31, 32, 62, 64, 70).map((many) =>
    Array.from({ length: many }, (_, index): Drawn => ({
      name: `more_${index}`,
      type: scalars[index % scalars.length],
      wish: index % 10,
    })),
  )
  return fc.tuple(some, more).map(([all, many]) => ({
    name: `random.v1.S${position}`,
    file: 0,
    kind: 'message' as const,
    oneofs: ['choice', 'item_id'],
    fields: [...all, ...many].map((drawn, index) => field(drawn, index + 1, position)),
  }))
}

function field({ name, type: of, wish }: Drawn, id: number, position: number): Field {
  const repeated = typeof of === 'object' && ('list' in of || 'map' in of)
  if (repeated) return { id, name, type: of }
  if (wish < 3) return { id, name, type: of, requiredness: 'optional', oneof: wish === 2 ? 1 : 0 }
  const message = typeof of === 'object' && 'struct' in of
  // A required message leads only to earlier ones, so that values end.
  if (wish === 3 && !(message && of.struct >= position)) return { id, name, type: of, requiredness: 'required' }
  if (message || wish < 5) return { id, name, type: of, requiredness: 'optional' }
  const value = wish < 7 ? defaultOf(of) : undefined
  return value === undefined ? { id, name, type: of } : { id, name, type: of, requiredness: 'optional', default: value }
}

function defaultOf(of: Type): Value | undefined {
  switch (of) {
    case 'bool':
      return { bool: true }
    case 'string':
      return { string: 'text' }
    case 'binary':
      return { binary: 'AP8=' }
    case 'double':
    case 'float':
      return { double: 'NaN' }
    default:
      return { int: '7' }
  }
}

/** A schema with some messages, and one unary method for each of them. */
export const messageSchemas: fc.Arbitrary<Schema> = fc.integer({ min: 1, max: 4 }).chain((count) =>
  fc.tuple(...Array.from({ length: count }, (_, position) => struct(position, count))).map((structs): Schema => ({
    files: [{ path: 'random/v1/random.proto', root: true, package: 'random.v1' }],
    enums: [
      { name: 'random.v1.Colour', file: 0, members: [{ name: 'COLOUR_NONE', value: 0 }] },
      { name: 'random.v1.Shade', file: 0, members: [{ name: 'DARK', value: 7 }], closed: true },
    ],
    structs,
    methods: structs.map((_, index) => ({ name: `M${index}`, service: 0, args: index, result: index })),
    services: [{ name: 'random.v1.Service', file: 0, methods: structs.map((_, index) => index) }],
  })),
)

const texts = ['', 'a', '__proto__', 'constructor', '0', 'Ünïcödé', '😀', 'é'.repeat(600), 'x'.repeat(1025)]
const doubles = [0, -0, 1, -1.5, Number.NaN, Infinity, -Infinity, Number.MAX_VALUE, Number.MIN_VALUE, 2 ** 53]

/** A message in the form readers give: every property there but for defaults, absent ones undefined. */
export function messageOf(schema: Schema, index: number, random: Random, size: number): Record<string, unknown> {
  const smaller = size >> 1
  const its = schema.structs[index]
  const value: Record<string, unknown> = {}
  const set = (name: string, to: unknown): void => {
    Object.defineProperty(value, name, { value: to, writable: true, enumerable: true, configurable: true })
  }
  const coin = (): boolean => size > 0 && random.below(2) === 0
  for (const property of propertiesOf(its)) {
    if (isOneof(property)) {
      const member = coin() ? random.pick(property.members) : undefined
      set(
        property.name,
        member === undefined
          ? { case: undefined, value: undefined }
          : { case: member.name, value: valueOf(schema, member.field.type, random, smaller) },
      )
      continue
    }
    const absence = absenceOf(property.field)
    const given = absence === 'never' || absence === 'zero' || coin()
    if (given) set(property.name, valueOf(schema, property.field.type, random, smaller))
    else if (absence === 'undefined') set(property.name, undefined)
  }
  if (coin()) value.$unknown = new Uint8Array([0xf8, 0x3f, random.below(128)])
  return value
}

function valueOf(schema: Schema, of: Type, random: Random, size: number): unknown {
  if (typeof of === 'string') return scalarOf(of, random)
  if ('enum' in of) return schema.enums?.[of.enum].closed === true ? 7 : random.pick([0, 7, -1, 2147483647])
  if ('list' in of) return random.many(size, () => valueOf(schema, of.list, random, size >> 1))
  if ('map' in of) {
    const [key, value] = of.map
    const entries = random.many(size, () => [
      valueOf(schema, key, random, 0),
      valueOf(schema, value, random, size >> 1),
    ])
    return key === 'string'
      ? Object.fromEntries(entries as [string, unknown][])
      : new Map(entries as [unknown, unknown][])
  }
  if ('struct' in of) return messageOf(schema, of.struct, random, size)
  throw new Error('Protobuf has no sets')
}

function scalarOf(of: Scalar, random: Random): unknown {
  const bits = random.below(2 ** 32)
  switch (of) {
    case 'bool':
      return random.below(2) === 0
    case 'i32':
    case 'sint32':
    case 'sfixed32':
      return random.pick([bits | 0, 0, -1, 2147483647, -2147483648])
    case 'uint32':
    case 'fixed32':
      return random.pick([bits, 0, 1, 4294967295])
    case 'i64':
    case 'sint64':
    case 'sfixed64':
      return random.pick([BigInt.asIntN(64, BigInt(bits) << 31n), 0n, -1n, 2n ** 63n - 1n, -(2n ** 63n)])
    case 'uint64':
    case 'fixed64':
      return random.pick([BigInt(bits) << 32n, 0n, 1n, 2n ** 64n - 1n])
    case 'float':
      return Math.fround(
        random.pick([bits / 1000, 0, -0, 1, -1.5, Number.NaN, Infinity, -Infinity, 3.4028234663852886e38]),
      )
    case 'double':
      return random.pick([bits / 1000, ...doubles])
    case 'string':
      return random.pick(texts)
    case 'binary':
      return new Uint8Array(random.many(20, () => random.below(256)))
    default:
      throw new Error(`Protobuf has no ${of}`)
  }
}
