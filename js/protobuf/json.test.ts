import assert from 'node:assert/strict'
import test from 'ava'
import fc from 'fast-check'
import type { MessageDescriptor } from '../core/descriptor.js'
import { Random } from '../schema/arbitrary.test.helper.js'
import { compileSchema } from '../schema/compile.js'
import type { JsonValue } from '../schema/json-value.js'
import { messageOf, messageSchemas } from '../schema/message-arbitrary.test.helper.js'
import type { Field, Schema, Struct, Type } from '../schema/model.js'
import { protoCamelCase } from '../schema/names.js'
import { plain } from '../schema/plain.test.helper.js'
import { check } from '../schema/property.test.helper.js'
import { fromJson, toJson } from './json.js'

test('what becomes JSON becomes the same message again', (t) => {
  const cases = fc.record({ schema: messageSchemas, seed: fc.nat(), size: fc.nat(6), implicit: fc.boolean() })
  check(
    fc.property(cases, ({ schema: drawn, seed, size, implicit }) => {
      const schema = { ...drawn, structs: drawn.structs.map(toldApart) }
      const random = new Random(seed)
      for (const message of compileSchema(schema, { codegen: false }).messages) {
        const value = withoutUnknown(messageOf(schema, message.index, random, size))
        const json = toJson(message, value, { alwaysEmitImplicit: implicit })
        assert.deepEqual(plain(fromJson(message, json)), value)
        const named = toJson(message, value, { useProtoFieldName: true, enumAsInteger: true })
        assert.deepEqual(plain(fromJson(message, named)), value)
      }
    }),
    60,
  )
  t.pass()
})

/** No compiler of Protobuf lets two fields of a message have one name in JSON. */
function toldApart(struct: Struct): Struct {
  const names = new Set(struct.fields.flatMap(({ name }) => [name, protoCamelCase(name)]))
  const clash = names.size !== struct.fields.reduce((sum, { name }) => sum + (protoCamelCase(name) === name ? 1 : 2), 0)
  return clash ? { ...struct, fields: struct.fields.map((it) => ({ ...it, json_name: it.name })) } : struct
}

/** JSON has no place for unknown fields. */
function withoutUnknown(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUnknown)
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [key, withoutUnknown(item)]))
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
  const entries = Object.entries(value).filter(([key]) => key !== '$unknown')
  return Object.fromEntries(entries.map(([key, item]) => [key, withoutUnknown(item)]))
}

const field = (id: number, name: string, type: Type, more: Partial<Field> = {}): Field => ({ id, name, type, ...more })
const optional = { requiredness: 'optional' } as const
const google = (name: string, fields: readonly Field[], oneofs: readonly string[] = []): Struct => ({
  name: `google.protobuf.${name}`,
  file: 1,
  kind: 'message',
  fields,
  oneofs,
})

const schema: Schema = {
  files: [
    { path: 'all.proto', root: true, package: 'all', includes: [1] },
    { path: 'google/protobuf/some.proto', root: false, package: 'google.protobuf' },
  ],
  enums: [
    { name: 'google.protobuf.NullValue', file: 1, members: [{ name: 'NULL_VALUE', value: 0 }] },
    {
      name: 'all.Colour',
      file: 0,
      members: [
        { name: 'COLOUR_NONE', value: 0 },
        { name: 'COLOUR_RED', value: 5 },
      ],
    },
  ],
  structs: [
    {
      name: 'all.All',
      file: 0,
      kind: 'message',
      oneofs: ['choice'],
      fields: [
        field(1, 'a_number', 'i32'),
        field(2, 'big', 'uint64'),
        field(3, 'text', 'string', { json_name: 'words' }),
        field(4, 'bytes', 'binary'),
        field(5, 'ratio', 'float'),
        field(6, 'colour', { enum: 1 }),
        field(7, 'colours', { list: { enum: 1 } }),
        field(8, 'by_flag', { map: ['bool', { enum: 1 }] }),
        field(9, 'self', { struct: 0 }, optional),
        field(10, 'left', 'i32', { ...optional, oneof: 0 }),
        field(11, 'nothing', { enum: 0 }, { ...optional, oneof: 0 }),
        field(12, 'any', { struct: 1 }, optional),
        field(13, 'time', { struct: 2 }, optional),
        field(14, 'duration', { struct: 3 }, optional),
        field(15, 'mask', { struct: 4 }, optional),
        field(16, 'value', { struct: 6 }, optional),
        field(17, 'struct', { struct: 5 }, optional),
        field(18, 'wrapped', { struct: 8 }, optional),
        field(19, 'flag', 'bool', optional),
      ],
    },
    google('Any', [field(1, 'type_url', 'string'), field(2, 'value', 'binary')]),
    google('Timestamp', [field(1, 'seconds', 'i64'), field(2, 'nanos', 'i32')]),
    google('Duration', [field(1, 'seconds', 'i64'), field(2, 'nanos', 'i32')]),
    google('FieldMask', [field(1, 'paths', { list: 'string' })]),
    google('Struct', [field(1, 'fields', { map: ['string', { struct: 6 }] })]),
    google(
      'Value',
      [
        field(1, 'null_value', { enum: 0 }, { ...optional, oneof: 0 }),
        field(2, 'number_value', 'double', { ...optional, oneof: 0 }),
        field(3, 'string_value', 'string', { ...optional, oneof: 0 }),
        field(4, 'bool_value', 'bool', { ...optional, oneof: 0 }),
        field(5, 'struct_value', { struct: 5 }, { ...optional, oneof: 0 }),
        field(6, 'list_value', { struct: 7 }, { ...optional, oneof: 0 }),
      ],
      ['kind'],
    ),
    google('ListValue', [field(1, 'values', { list: { struct: 6 } })]),
    google('Int64Value', [field(1, 'value', 'i64')]),
  ],
  methods: [],
  services: [],
}

const [All] = compileSchema(schema).messages as readonly MessageDescriptor<Record<string, unknown>>[]

/** Forms that are the message's own, and come back as they went. */
const forms: Readonly<Record<string, [json: JsonValue, value: unknown]>> = {
  aNumber: [-5, -5],
  big: ['18446744073709551615', 2n ** 64n - 1n],
  words: ['Ü', 'Ü'],
  bytes: ['+/8=', new Uint8Array([0xfb, 0xff])],
  ratio: ['-Infinity', -Infinity],
  colour: ['COLOUR_RED', 5],
  colours: [
    ['COLOUR_NONE', 77],
    [0, 77],
  ],
  byFlag: [{ true: 'COLOUR_RED' }, new Map([[true, 5]])],
  flag: [false, false],
  time: ['2001-02-03T04:05:06.007Z', { seconds: 981_173_106n, nanos: 7_000_000 }],
  duration: ['-1.000000001s', { seconds: -1n, nanos: -1 }],
  mask: ['fooBar,baz.quxQuux', { paths: ['foo_bar', 'baz.qux_quux'] }],
  value: [null, { kind: { case: 'nullValue', value: 0 } }],
  struct: [
    { a: [1, 'x', true], ['__proto__']: {} },
    {
      fields: Object.fromEntries([
        [
          'a',
          {
            kind: {
              case: 'listValue',
              value: {
                values: [
                  { kind: { case: 'numberValue', value: 1 } },
                  { kind: { case: 'stringValue', value: 'x' } },
                  { kind: { case: 'boolValue', value: true } },
                ],
              },
            },
          },
        ],
        ['__proto__', { kind: { case: 'structValue', value: { fields: {} } } }],
      ]),
    },
  ],
  wrapped: ['0', { value: 0n }],
  any: [{ '@type': 'type.googleapis.com/google.protobuf.Duration', value: '3s' }, undefined],
  nothing: [null, undefined],
}

for (const [name, [json, value]] of Object.entries(forms)) {
  test(`${name} has its form in JSON`, (t) => {
    const message = fromJson(All, { [name]: json })
    if (name === 'nothing') t.deepEqual(message.choice, { case: 'nothing', value: 0 })
    else if (value !== undefined) t.deepEqual(message[name === 'words' ? 'text' : name], value)
    t.deepEqual(toJson(All, message), Object.fromEntries([[name, json]]))
  })
}

test('both names of a field are read, and other forms of its value', (t) => {
  const read = (json: JsonValue): Record<string, unknown> => fromJson(All, json)
  t.is(read({ a_number: '1e2' }).aNumber, 100)
  t.is(read({ text: 'x' }).text, 'x')
  t.is(read({ big: 12 }).big, 12n)
  t.deepEqual(read({ bytes: '-_8' }).bytes, new Uint8Array([0xfb, 0xff]))
  t.is(read({ ratio: '0.1' }).ratio, Math.fround(0.1))
  t.is(read({ colour: 5 }).colour, 5)
  t.is(read({ self: null }).self, undefined)
  t.deepEqual(read({ time: '1970-01-01T01:00:00+01:00' }).time, { seconds: 0n, nanos: 0 })
  t.deepEqual(read({ any: { '@type': 'x/all.All', big: '1', flag: true } }).any, {
    typeUrl: 'x/all.All',
    value: new Uint8Array([16, 1, 0x98, 1, 1]),
  })
})

test('JSON that does not fit is refused, with its place', (t) => {
  const wrong: [json: JsonValue, message: string][] = [
    [[], 'All: expected an object, got array'],
    [{ none: 1 }, 'All: it has no field "none"'],
    [{ aNumber: 1, a_number: 1 }, 'All.aNumber: it is there twice, under both of its names'],
    [{ left: 1, nothing: null }, 'All.choice: more than one of its cases is there'],
    [{ aNumber: 1.5 }, 'All.aNumber: expected an integer of 32 bits, got number 1.5'],
    [{ aNumber: ' 1' }, 'All.aNumber: expected an integer of 32 bits, got string " 1"'],
    [{ big: -1 }, 'All.big: expected an integer of 64 bits without a sign, got number -1'],
    [
      { big: '18446744073709551616' },
      'All.big: expected an integer of 64 bits without a sign, got string "18446744073709551616"',
    ],
    [{ words: '\ud800' }, 'All.text: the string has half of a surrogate pair'],
    [{ bytes: 'a' }, 'All.bytes: expected a string of base64, got string "a"'],
    [{ ratio: 1e39 }, 'All.ratio: expected a number that a float can be, got number 1e+39'],
    [{ colour: 'RED' }, 'All.colour: all.Colour has no member "RED"'],
    [{ colours: [null] }, 'All.colours[0]: an element cannot be null'],
    [{ byFlag: { yes: 5 } }, 'All.byFlag["yes"]: expected the key true or false, got string "yes"'],
    [{ self: { self: { flag: 0 } } }, 'All.self.self.flag: expected true or false, got number 0'],
    [
      { time: '2001-02-30T00:00:00Z' },
      'All.time: expected a time as 2001-02-03T04:05:06.789Z, got string "2001-02-30T00:00:00Z"',
    ],
    [{ duration: '1' }, 'All.duration: expected a duration as 1.5s, got string "1"'],
    [{ mask: 'foo_bar' }, 'All.mask: paths are in lowerCamelCase, "foo_bar" is not'],
    [{ any: { '@type': 'x/y.Z' } }, 'All.any["@type"]: the message y.Z is not known; name it in the option types'],
    [{ any: { flag: true } }, 'All.any: a google.protobuf.Any says what it holds in "@type"'],
  ]
  for (const [json, message] of wrong) t.is(t.throws(() => fromJson(All, json))?.message, message)
  let deep: JsonValue = {}
  for (let depth = 0; depth < 200; depth++) deep = { self: deep }
  t.regex(t.throws(() => fromJson(All, deep))?.message ?? '', /nested deeper than 100 levels$/)
})

test('values that JSON has no form for are refused, with their place', (t) => {
  const wrong: [value: Record<string, unknown>, message: string][] = [
    [
      { aNumber: 2 ** 31 },
      'All.aNumber: expected an integer from -2147483648 to 2147483647 (i32), got number 2147483648',
    ],
    [{ big: 1 }, ''],
    [{ big: -1n }, 'All.big: expected an integer from 0 to 18446744073709551615 (uint64), got bigint -1n'],
    [{ time: { seconds: 2n ** 62n } }, 'All.time: it is not within the years 1 to 9999, and JSON has no form for it'],
    [
      { duration: { seconds: 1n, nanos: -1 } },
      'All.duration: it is not within 10,000 years, both parts of one sign, and JSON has no form for it',
    ],
    [{ mask: { paths: ['fooBar'] } }, 'All.mask.paths[0]: JSON has no form for the path "fooBar"'],
    [{ value: {} }, 'All.value: a google.protobuf.Value without a kind has no form in JSON'],
    [
      { value: { kind: { case: 'numberValue', value: Infinity } } },
      'All.value: a google.protobuf.Value cannot be Infinity in JSON',
    ],
    [{ any: { typeUrl: 'y.Z' } }, 'All.any.typeUrl: "y.Z" is no type URL; write type.googleapis.com/package.Message'],
    [{ choice: { case: 'right' } }, 'All.choice: it has no case string "right"; leave the oneof out if none is meant'],
  ]
  for (const [value, message] of wrong) {
    if (message === '') t.notThrows(() => toJson(All, value))
    else t.is(t.throws(() => toJson(All, value))?.message, message)
  }
})

test('unknown fields and names are passed over if that is asked for', (t) => {
  const read = fromJson(
    All,
    { none: 1, colour: 'RED', colours: ['RED', 'COLOUR_RED'], byFlag: { true: 'RED' }, aNumber: 1 },
    { ignoreUnknownFields: true },
  )
  t.deepEqual(toJson(All, read), { colours: ['COLOUR_RED'], aNumber: 1 })
})

test('a packed message may be of another build', (t) => {
  const [Other] = compileSchema({
    files: [{ path: 'other.proto', root: true, package: 'other' }],
    structs: [{ name: 'other.It', file: 0, kind: 'message', fields: [field(1, 'id', 'i64')] }],
    methods: [],
    services: [],
  }).messages
  const json = { any: { '@type': 'type.googleapis.com/other.It', id: '7' } }
  const message = fromJson(All, json, { types: [Other] })
  t.deepEqual(toJson(All, message, { types: [Other] }), json)
  t.throws(() => toJson(All, message), { message: /the message other\.It is not known/ })
})
