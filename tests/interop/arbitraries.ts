/** Arbitrary values of any type of a schema. */
import fc from 'fast-check'
import type { Field, Scalar, Schema, Type } from 'volo-js/build'
import { canonical } from './canonical.js'

/** Deepest nesting of structs; optional ones end there. */
const DEEPEST = 3
/** Most elements of a container that holds scalars, and of one that holds structs or containers. */
const MANY = 4
const FEW = 2

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.string({ unit: 'grapheme', maxLength: 10 }),
  fc.constantFrom('', '__proto__', 'constructor', '0', 'ü'.repeat(300), 'x'.repeat(1025)),
)

const scalars: Record<Scalar, fc.Arbitrary<unknown>> = {
  bool: fc.boolean(),
  i8: fc.integer({ min: -128, max: 127 }),
  i16: fc.integer({ min: -32768, max: 32767 }),
  i32: fc.integer(),
  i64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  double: fc.double(),
  string: text,
  binary: fc.uint8Array({ maxLength: 40 }),
  uuid: fc.uuid(),
  sint32: fc.integer(),
  sfixed32: fc.integer(),
  uint32: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  fixed32: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  sint64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  sfixed64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  uint64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fixed64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  float: fc.float(),
}

/** Makes arbitraries of a schema's types. Fields with a default are always there: peers put it in where one is absent. */
export class Arbitraries {
  readonly #schema: Schema
  readonly #made = new Map<string, fc.Arbitrary<unknown>>()

  constructor(schema: Schema) {
    this.#schema = schema
  }

  of(type: Type, depth = DEEPEST): fc.Arbitrary<unknown> {
    if (typeof type === 'string') return scalars[type]
    const key = `${depth} ${JSON.stringify(type)}`
    let made = this.#made.get(key)
    if (made === undefined) {
      made = this.#make(type, depth)
      this.#made.set(key, made)
    }
    return made
  }

  #make(type: Exclude<Type, Scalar>, depth: number): fc.Arbitrary<unknown> {
    if ('enum' in type) {
      const members = (this.#schema.enums ?? [])[type.enum].members.map((member) => member.value)
      return fc.constantFrom(...members)
    }
    if ('struct' in type) return this.#struct(type.struct, depth - 1)
    const size = (element: Type): number => (depth <= 0 ? 0 : typeof element === 'string' ? MANY : FEW)
    if ('list' in type) return fc.array(this.of(type.list, depth), { maxLength: size(type.list) })
    if ('set' in type) {
      return unique(this.of(type.set, depth), size(type.set)).map((elements) => new Set(elements))
    }
    const [key, value] = type.map
    const entries = fc.uniqueArray(fc.tuple(this.of(key, depth), this.of(value, depth)), {
      selector: ([its]) => keyOf(its),
      maxLength: size(value),
    })
    return key === 'string' || key === 'uuid'
      ? entries.map((pairs) => Object.fromEntries(pairs) as unknown)
      : entries.map((pairs) => new Map(pairs))
  }

  #struct(index: number, depth: number): fc.Arbitrary<unknown> {
    const struct = this.#schema.structs[index]
    if (struct.kind === 'union') {
      const cases = struct.fields.map((field) =>
        this.of(field.type, depth).map((value) => ({ case: field.name, value })),
      )
      return fc.oneof(...cases)
    }
    const fields = struct.fields.map((field) => fc.tuple(fc.constant(field.name), this.#field(field, depth)))
    return fc.tuple(...fields).map((pairs) => Object.fromEntries(pairs) as unknown)
  }

  #field(field: Field, depth: number): fc.Arbitrary<unknown> {
    if (field.requiredness === 'required' || field.default !== undefined) return this.of(field.type, depth)
    return depth <= 0 ? fc.constant(undefined) : fc.option(this.of(field.type, depth), { nil: undefined })
  }
}

function unique(of: fc.Arbitrary<unknown>, maxLength: number): fc.Arbitrary<unknown[]> {
  return fc.uniqueArray(of, { selector: keyOf, maxLength })
}

/** Zeros of both signs are one key, to JavaScript and to Python. */
function keyOf(value: unknown): string {
  return canonical(value === 0 ? 0 : value)
}
