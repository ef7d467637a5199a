/** Random schemas and values that fit them, for property tests. */
import fc from 'fast-check'
import type { Field, Scalar, Schema, Struct, Type } from './model.js'

const scalars = ['bool', 'i8', 'i16', 'i32', 'i64', 'double', 'string', 'binary', 'uuid'] as const

/** Names that have caught somebody before. */
const names = [
  'id',
  'title',
  '__proto__',
  'constructor',
  'toString',
  'then',
  'class',
  'case',
  'value',
  't',
  'v',
  'p',
  'length',
]

function type(structs: number): fc.Arbitrary<Type> {
  return fc.letrec<{ type: Type }>((tie) => ({
    type: fc.oneof(
      { maxDepth: 2, depthSize: 'small' },
      fc.oneof(
        fc.constantFrom<Type>(...scalars),
        fc.constant<Type>({ enum: 0 }),
        ...(structs === 0 ? [] : [fc.nat(structs - 1).map((struct): Type => ({ struct }))]),
      ),
      tie('type').map((list): Type => ({ list })),
      tie('type').map((set): Type => ({ set })),
      fc.tuple(fc.oneof(fc.constant<Type>('string'), tie('type')), tie('type')).map((map): Type => ({ map })),
    ),
  })).type
}

function fields(position: number, kind: Struct['kind'], structs: number): fc.Arbitrary<Field[]> {
  const some = fc.uniqueArray(
    fc.record({
      name: fc.oneof(fc.constantFrom(...names), fc.stringMatching(/^[a-z]{1,6}[0-9]{0,2}$/)),
      required: fc.boolean(),
      // A required field leads only to earlier structs, so that values end.
      forward: type(structs),
      backward: type(position),
    }),
    { selector: (field) => field.name, minLength: kind === 'union' ? 1 : 0, maxLength: 8 },
  )
  // More than 32 and more than 64 fields, for the presence bits.
  const more = fc.constantFrom(0, 0, 0, 0, 0, 30, 70).map((count) =>
    Array.from({ length: count }, (_, index) => ({
      name: `more${index}`,
      required: index % 3 === 0,
      forward: scalars[index % scalars.length],
      backward: scalars[index % scalars.length],
    })),
  )
  return fc.tuple(some, more).map(([all, many]) =>
    [...all, ...many].map(({ name, required, forward, backward }, index): Field => {
      const isRequired = required && kind !== 'union'
      return {
        id: index + 1,
        name,
        // A union has to have one of its cases, so these end, too.
        type: isRequired || kind === 'union' ? backward : forward,
        requiredness: isRequired ? 'required' : index % 2 === 0 ? 'optional' : 'default',
      }
    }),
  )
}

/** A schema with some structs, unions and exceptions, and one method for each of them. */
export const schemas: fc.Arbitrary<Schema> = fc.integer({ min: 1, max: 4 }).chain((count) =>
  fc
    .tuple(
      ...Array.from({ length: count }, (_, position) =>
        fc.constantFrom<Struct['kind']>('struct', 'struct', 'union', 'exception').chain((kind) =>
          fc.tuple(fields(position, kind, count), fc.boolean()).map(([its, keeps]): Struct => ({
            name: `S${position}`,
            file: 0,
            kind,
            fields: its,
            keep_unknown: keeps,
          })),
        ),
      ),
    )
    .map((structs): Schema => {
      const results: Struct[] = structs.flatMap((_, struct) => [
        {
          name: `Service.m${struct}_args`,
          file: 0,
          kind: 'args',
          fields: [{ id: 1, name: 'it', type: { struct }, requiredness: 'required' }],
        },
        {
          name: `Service.m${struct}_result`,
          file: 0,
          kind: 'result',
          fields: [{ id: 0, name: 'success', type: { struct }, requiredness: 'optional' }],
        },
      ])
      return {
        files: [{ path: 'random.thrift', root: true }],
        enums: [{ name: 'Colour', file: 0, members: [{ name: 'RED', value: 1 }] }],
        structs: [...structs, ...results],
        methods: structs.map((_, index) => ({
          name: `m${index}`,
          service: 0,
          args: structs.length + 2 * index,
          result: structs.length + 2 * index + 1,
        })),
        services: [{ name: 'Service', file: 0, methods: structs.map((_, index) => index) }],
      }
    }),
)

/** Random numbers that a seed determines: mulberry32. */
export class Random {
  constructor(private state: number) {}

  /** An integer from 0 up to `limit`, which is excluded. */
  below(limit: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296) * limit)
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]
  }

  many<T>(max: number, make: () => T): T[] {
    return Array.from({ length: this.below(max + 1) }, make)
  }
}

const texts = [
  '',
  'a',
  '__proto__',
  'constructor',
  '0',
  'Ünïcödé',
  '😀',
  'a'.repeat(256),
  'a'.repeat(257),
  'é'.repeat(600),
  'x'.repeat(1025),
]
const doubles = [0, -0, 1, -1.5, Number.NaN, Infinity, -Infinity, Number.MAX_VALUE, Number.MIN_VALUE, 2 ** 53]

/**
 * A value of a type, in the form readers give: every field there, absent ones undefined.
 *
 * Made by hand, not of arbitraries: those are built as a whole before anything is drawn, which recursive types make too much.
 */
export function valueOf(schema: Schema, of: Type, random: Random, size: number): unknown {
  if (typeof of === 'string') return scalarOf(of, random)
  if ('enum' in of) return random.below(2 ** 32) | 0
  const smaller = size >> 1
  if ('list' in of) return random.many(size, () => valueOf(schema, of.list, random, smaller))
  if ('set' in of) return new Set(random.many(size, () => valueOf(schema, of.set, random, smaller)))
  if ('map' in of) {
    const [key, value] = of.map
    const entries = random.many(size, () => [
      valueOf(schema, key, random, smaller),
      valueOf(schema, value, random, smaller),
    ])
    return key === 'string' || key === 'uuid'
      ? Object.fromEntries(entries as [string, unknown][])
      : new Map(entries as [unknown, unknown][])
  }
  const struct = schema.structs[of.struct]
  // A whole field, of an id that random schemas do not have: type i8, the id, the value.
  const unknown =
    struct.keep_unknown === true && random.below(2) === 0
      ? { $unknown: new Uint8Array([3, 0x7f, random.below(256), random.below(256)]) }
      : {}
  if (struct.kind === 'union') {
    if ('$unknown' in unknown && random.below(2) === 0) return { case: undefined, value: undefined, ...unknown }
    const field = random.pick(struct.fields)
    return { case: field.name, value: valueOf(schema, field.type, random, smaller), ...unknown }
  }
  return {
    ...Object.fromEntries(
      struct.fields.map((field) => {
        const present = field.requiredness === 'required' || (size > 0 && random.below(2) === 0)
        return [field.name, present ? valueOf(schema, field.type, random, smaller) : undefined]
      }),
    ),
    ...unknown,
  }
}

function scalarOf(of: Scalar, random: Random): unknown {
  switch (of) {
    case 'bool':
      return random.below(2) === 0
    case 'i8':
      return random.below(256) - 128
    case 'i16':
      return random.below(65536) - 32768
    case 'i32':
      return random.pick([random.below(2 ** 32) | 0, 0, -1, 2147483647, -2147483648])
    case 'i64':
      return random.pick([
        BigInt.asIntN(64, (BigInt(random.below(2 ** 32)) << 32n) | BigInt(random.below(2 ** 32))),
        0n,
        -1n,
        2n ** 63n - 1n,
        -(2n ** 63n),
      ])
    case 'double':
      return random.pick([random.below(2 ** 32) / 1000, ...doubles])
    case 'string':
      return random.pick(texts)
    case 'uuid':
      return `0123abcd-4567-89ab-cdef-${String(random.below(1e12)).padStart(12, '0')}`
    case 'binary':
      return new Uint8Array(random.many(20, () => random.below(256)))
    default:
      throw new Error(`the random schemas have no ${of}`)
  }
}

/** Things that are seldom what an IDL says. */
export const garbage: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    undefined,
    null,
    true,
    0,
    -0,
    1.5,
    Number.NaN,
    2 ** 31,
    -129,
    12n,
    2n ** 63n,
    -(2n ** 63n) - 1n,
    '',
    'text',
    Symbol('s'),
    () => 1,
    [],
    [undefined],
    {},
    { id: 'x' },
    { case: 'nothing', value: 1 },
    new Map<unknown, unknown>([[1, {}]]),
    new Set<unknown>([null]),
    new Date(0),
    new Uint8Array(3),
    new Float64Array(2),
    Promise.resolve(1),
  ),
  fc.integer(),
  fc.anything(),
)
