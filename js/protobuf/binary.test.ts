import assert from 'node:assert/strict'
import test from 'ava'
import fc from 'fast-check'
import { Random } from '../schema/arbitrary.test.helper.js'
import { compileSchema } from '../schema/compile.js'
import { messageOf, messageSchemas } from '../schema/message-arbitrary.test.helper.js'
import type { Schema } from '../schema/model.js'
import { plain } from '../schema/plain.test.helper.js'
import { check } from '../schema/property.test.helper.js'
import { fromBinary, toBinary } from './index.js'

test('what becomes bytes becomes the same message again', (t) => {
  const cases = fc.record({ schema: messageSchemas, seed: fc.nat(), size: fc.nat(6), codegen: fc.boolean() })
  check(
    fc.property(cases, ({ schema, seed, size, codegen }) => {
      const random = new Random(seed)
      for (const message of compileSchema(schema, { codegen }).messages) {
        const value = messageOf(schema, message.index, random, size)
        const bytes = toBinary(message, value)
        const read = fromBinary(message, bytes)
        assert.deepEqual(plain(read), value)
        // Maps and unknown fields may be in another order, but the length is the same.
        assert.equal(toBinary(message, read).length, bytes.length)
      }
    }),
    60,
  )
  t.pass()
})

const schema: Schema = {
  files: [{ path: 'shop.proto', root: true, package: 'shop' }],
  structs: [
    {
      name: 'shop.Item',
      file: 0,
      kind: 'message',
      fields: [
        { id: 1, name: 'id', type: 'i64' },
        { id: 2, name: 'title', type: 'string' },
        { id: 3, name: 'parts', type: { list: { struct: 0 } } },
      ],
    },
    {
      name: 'shop.Strict',
      file: 0,
      kind: 'message',
      fields: [{ id: 1, name: 'must', type: 'i32', requiredness: 'required' }],
    },
  ],
  methods: [],
  services: [],
}

for (const codegen of [true, false]) {
  const [Item, Strict] = compileSchema(schema, { codegen }).messages
  const how = codegen ? 'generated' : 'interpreted'

  test(`bytes are those of Protobuf (${how})`, (t) => {
    t.deepEqual(toBinary(Item, {}), new Uint8Array())
    t.deepEqual(toBinary(Item, { id: 0n, title: '', parts: [] }), new Uint8Array())
    t.deepEqual(
      toBinary(Item, { id: 150n, title: 'ü', parts: [{}, { id: -1n }] }),
      new Uint8Array([8, 0x96, 1, 18, 2, 0xc3, 0xbc, 26, 0, 26, 11, 8, ...new Array<number>(9).fill(255), 1]),
    )
    t.deepEqual(fromBinary(Item, new Uint8Array([8, 5, 0x78, 7])), {
      id: 5n,
      title: '',
      parts: [],
      $unknown: new Uint8Array([0x78, 7]),
    })
  })

  test(`large messages fit (${how})`, (t) => {
    const value = { id: 1n, title: 'x'.repeat(3_000_000), parts: Array.from({ length: 50_000 }, () => ({ id: 2n })) }
    const read = fromBinary(Item, toBinary(Item, value)) as typeof value
    t.is(read.title, value.title)
    t.is(read.parts.length, 50_000)
    t.is(read.parts[49_999].id, 2n)
    t.deepEqual(fromBinary(Item, toBinary(Item, { id: 3n })), { id: 3n, title: '', parts: [] })
  })

  test(`what is wrong is refused, and the next message is whole (${how})`, (t) => {
    t.throws(() => toBinary(Item, { parts: [{ id: 1 }] }), {
      message: 'Item.parts[0].id: expected bigint, got number 1; write 1n',
    })
    t.throws(() => toBinary(Strict, {}), { message: 'Strict.must: required value is absent' })
    t.throws(() => fromBinary(Strict, new Uint8Array()), { code: 'INVALID_ARGUMENT' })
    t.throws(() => fromBinary(Item, new Uint8Array([18, 5, 1])), { code: 'INVALID_ARGUMENT' })
    t.deepEqual(toBinary(Item, { id: 1n }), new Uint8Array([8, 1]))
    t.deepEqual(fromBinary(Item, new Uint8Array([8, 1])), { id: 1n, title: '', parts: [] })
  })
}
