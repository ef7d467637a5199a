import assert from 'node:assert/strict'
import test from 'ava'
import fc from 'fast-check'
import type { MessageDescriptor } from '../core/descriptor.js'
import { Relay } from '../core/tape/relay.test.helper.js'
import { Random } from './arbitrary.test.helper.js'
import { compileSchema } from './compile.js'
import { messageOf, messageSchemas } from './message-arbitrary.test.helper.js'
import { check, outcome, spoil, spoilers, VALUES } from './property.test.helper.js'
import { plain } from './plain.test.helper.js'
import type { Schema } from './model.js'

interface Pair {
  readonly schema: Schema
  readonly relay: Relay
  readonly generated: readonly MessageDescriptor[]
  readonly interpreted: readonly MessageDescriptor[]
  readonly [fc.toStringMethod]: () => string
}

function compile(schema: Schema): Pair {
  return {
    schema,
    relay: new Relay(schema),
    generated: compileSchema(schema).messages,
    interpreted: compileSchema(schema, { codegen: false }).messages,
    [fc.toStringMethod]: () => JSON.stringify(schema),
  }
}

function roundTrip({ relay }: Pair, writer: MessageDescriptor, reader: MessageDescriptor, value: unknown): unknown {
  return relay.protobuf(
    writer.index,
    (t) => writer.write(t, value),
    (t, p) => reader.read(t, p),
  )
}

const cases = fc
  .record({ schema: messageSchemas, message: fc.nat(3), seed: fc.nat(), size: fc.nat(6) })
  .map((drawn) => {
    const pair = compile(drawn.schema)
    const index = drawn.message % pair.generated.length
    const random = new Random(drawn.seed)
    const draw = (): unknown => messageOf(pair.schema, index, random, drawn.size)
    return { pair, index, values: Array.from({ length: VALUES }, draw) }
  })

test('a message arrives as it was, whoever writes and whoever reads', (t) => {
  check(
    fc.property(cases, ({ pair, index, values }) => {
      const [generated, interpreted] = [pair.generated[index], pair.interpreted[index]]
      for (const value of values) {
        const expected = plain(value)
        assert.deepEqual(plain(roundTrip(pair, interpreted, interpreted, value)), expected)
        assert.deepEqual(plain(roundTrip(pair, generated, generated, value)), expected)
        assert.deepEqual(plain(roundTrip(pair, generated, interpreted, value)), expected)
        assert.deepEqual(plain(roundTrip(pair, interpreted, generated, value)), expected)
        // What was read can be written again.
        const again = roundTrip(pair, generated, generated, roundTrip(pair, generated, generated, value))
        assert.deepEqual(plain(again), expected)
      }
    }),
    50,
  )
  t.pass()
})

test('a wrong message is refused with the same words, and the tape is as before', (t) => {
  let refused = 0
  check(
    fc.property(cases, spoilers, ({ pair, index, values }, spoiling) => {
      for (const [at, value] of values.entries()) {
        const spoilt = spoil(value, ...spoiling[at])
        const [generated, interpreted] = [pair.generated[index], pair.interpreted[index]].map((writer) =>
          outcome(() => roundTrip(pair, writer, pair.interpreted[index], spoilt)),
        )
        assert.deepEqual(generated, interpreted)
        if ('refusal' in generated) refused++
        // Whatever happened, the next message is whole.
        roundTrip(pair, pair.generated[index], pair.generated[index], value)
      }
    }),
    50,
  )
  t.true(refused > 50, `${refused} values were refused`)
})

/** Both makings of the only message of a schema, as functions that write and read it. */
function both(
  schema: Schema,
  options: { readonly i64?: 'bigint' | 'number' } = {},
): ((value: unknown, index?: number) => unknown)[] {
  return [true, false].map((codegen) => {
    const relay = new Relay(schema)
    const { messages } = compileSchema(schema, { codegen, ...options })
    return (value, index = 0) =>
      relay.protobuf(
        index,
        (t) => messages[index].write(t, value),
        (t, p) => messages[index].read(t, p),
      )
  })
}

const message = (fields: Schema['structs'][number]['fields'], oneofs: string[] = []): Schema => ({
  files: [{ path: 'shop/v1/cart.proto', root: true, package: 'shop.v1' }],
  structs: [{ name: 'shop.v1.Cart.Line', file: 0, kind: 'message', fields, oneofs }],
  methods: [],
  services: [],
})

test('what is left out is zero, empty, or undefined, or the default', (t) => {
  const schema = message(
    [
      { id: 1, name: 'a_number', type: 'uint64' },
      { id: 2, name: 'text', type: 'string' },
      { id: 3, name: 'bytes', type: 'binary' },
      { id: 4, name: 'many', type: { list: 'float' } },
      { id: 5, name: 'by_name', type: { map: ['string', 'bool'] } },
      { id: 6, name: 'by_number', type: { map: ['fixed64', 'bool'] } },
      { id: 7, name: 'maybe', type: 'i32', requiredness: 'optional' },
      { id: 8, name: 'self', type: { struct: 0 }, requiredness: 'optional' },
      { id: 9, name: 'size', type: 'i32', requiredness: 'optional', default: { int: '42' } },
      { id: 10, name: 'blob', type: 'binary', requiredness: 'optional', default: { binary: 'AQI=' } },
      { id: 11, name: 'left', type: 'i32', requiredness: 'optional', oneof: 0 },
      { id: 12, name: 'right', type: 'string', requiredness: 'optional', oneof: 0 },
    ],
    ['which_one'],
  )
  for (const through of both(schema)) {
    const empty = through({}) as Record<string, unknown>
    t.deepEqual(Object.entries(empty), [
      ['aNumber', 0n],
      ['text', ''],
      ['bytes', new Uint8Array()],
      ['many', []],
      ['byName', {}],
      ['byNumber', new Map()],
      ['maybe', undefined],
      ['self', undefined],
      ['whichOne', { case: undefined, value: undefined }],
    ])
    // Defaults are there to be read, but are no value of the message's own.
    t.is(empty.size, 42)
    t.deepEqual(empty.blob, new Uint8Array([1, 2]))
    ;(empty.blob as Uint8Array)[0] = 9
    t.deepEqual(empty.blob, new Uint8Array([1, 2]))
    t.false(Object.hasOwn(through(empty) as object, 'size'))
    empty.size = 42
    t.true(Object.hasOwn(empty, 'size'))
    t.true(Object.hasOwn(through(empty) as object, 'size'))
    // A value that is zero counts where presence does.
    t.is((through({ maybe: 0 }) as Record<string, unknown>).maybe, 0)
    t.deepEqual((through({ whichOne: { case: 'left', value: 0 } }) as Record<string, unknown>).whichOne, {
      case: 'left',
      value: 0,
    })
    t.is((through({ aNumber: 2n ** 64n - 1n }) as Record<string, unknown>).aNumber, 2n ** 64n - 1n)
  }
})

test('messages say where a value is wrong', (t) => {
  const schema = message(
    [
      { id: 1, name: 'item_id', type: 'uint32' },
      { id: 2, name: 'big', type: 'uint64' },
      { id: 3, name: 'ratio', type: 'float' },
      { id: 4, name: 'lines', type: { list: { struct: 0 } } },
      { id: 5, name: 'left', type: 'i32', requiredness: 'optional', oneof: 0 },
    ],
    ['side'],
  )
  const wrong: [value: unknown, message: string][] = [
    [{ itemId: -1 }, 'Cart.Line.itemId: expected an integer from 0 to 4294967295 (uint32), got number -1'],
    [{ itemId: 1n }, 'Cart.Line.itemId: expected number, got bigint 1n; write 1'],
    [{ big: -1n }, 'Cart.Line.big: expected an integer from 0 to 18446744073709551615 (uint64), got bigint -1n'],
    [{ big: 1 }, 'Cart.Line.big: expected bigint, got number 1; write 1n'],
    [{ ratio: 1e39 }, 'Cart.Line.ratio: expected a number of single precision (float), got number 1e+39'],
    [{ lines: [{}, { itemId: '1' }] }, 'Cart.Line.lines[1].itemId: expected number, got string "1"'],
    [{ side: { case: 'left', value: 'x' } }, 'Cart.Line.side.left: expected number, got string "x"'],
    [
      { side: { case: 'right', value: 1 } },
      'Cart.Line.side: it has no case string "right"; leave the oneof out if none is meant',
    ],
    [{ side: 'left' }, 'Cart.Line.side: expected object { case, value }, got string "left"'],
    [{ $unknown: 'x' }, 'Cart.Line.$unknown: expected Uint8Array, got string "x"; write Buffer.from(text)'],
    [Promise.resolve({}), 'Cart.Line: expected object, got Promise; await it'],
    [undefined, 'Cart.Line: required value is absent'],
  ]
  for (const through of both(schema)) {
    for (const [value, expected] of wrong) t.is(t.throws(() => through(value))?.message, expected)
    const cycle: { lines: unknown[] } = { lines: [] }
    cycle.lines.push(cycle)
    t.regex(t.throws(() => through(cycle))?.message ?? '', /nested deeper than 64 levels; is it a cycle\?$/)
  }
})

test('64-bit integers may be numbers', (t) => {
  const schema = message([
    { id: 1, name: 'signed', type: 'sint64' },
    { id: 2, name: 'unsigned', type: 'fixed64' },
  ])
  for (const through of both(schema, { i64: 'number' })) {
    t.deepEqual(through({ signed: -(2 ** 53) + 1, unsigned: 2 ** 53 - 1 }), {
      signed: -(2 ** 53) + 1,
      unsigned: 2 ** 53 - 1,
    })
    t.deepEqual(through({}), { signed: 0, unsigned: 0 })
    t.regex(
      t.throws(() => through({ unsigned: -1 }))?.message ?? '',
      /^Cart\.Line\.unsigned: expected an integer from 0/,
    )
  }
})

test('fields whose names become the same get different ones', (t) => {
  const schema = message([
    { id: 1, name: 'item_id', type: 'i32' },
    { id: 2, name: 'itemId', type: 'i32' },
    { id: 3, name: '__proto__', type: 'i32' },
  ])
  for (const through of both(schema)) {
    t.deepEqual(through({ itemId: 1, itemId_: 2, Proto__: 0, Proto: 3 }), { itemId: 1, itemId_: 2, Proto: 3 })
  }
})
