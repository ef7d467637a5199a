/** Schemas of Protobuf as the front end makes them, written by hand: the generator's tests do not wait for an addon. */
import type { Field, Schema, Struct, Type } from '../schema/model.js'

const message = (name: string, fields: readonly Field[], more: Partial<Struct> = {}): Struct => ({
  name,
  file: 0,
  kind: 'message',
  fields,
  ...more,
})

const optional = (id: number, name: string, type: Type, more: Partial<Field> = {}): Field => ({
  id,
  name,
  type,
  requiredness: 'optional',
  ...more,
})

/** `examples/item.proto`. */
export const itemProto: Schema = {
  files: [{ path: 'item.proto', root: true, package: 'volo.example' }],
  structs: [
    message('volo.example.Item', [
      { id: 1, name: 'id', type: 'i64' },
      { id: 2, name: 'title', type: 'string' },
      { id: 3, name: 'content', type: 'string' },
      { id: 10, name: 'extra', type: { map: ['string', 'string'] } },
    ]),
    message('volo.example.GetItemRequest', [{ id: 1, name: 'id', type: 'i64' }]),
    message('volo.example.GetItemResponse', [optional(1, 'item', { struct: 0 })]),
  ],
  methods: [
    { name: 'GetItem', service: 0, args: 1, result: 2 },
    { name: 'StreamItems', service: 0, args: 1, result: 0, server_streaming: true },
    { name: 'ClientStream', service: 0, args: 0, result: 2, client_streaming: true },
    { name: 'BidirectionalStream', service: 0, args: 0, result: 0, client_streaming: true, server_streaming: true },
  ],
  services: [{ name: 'volo.example.ItemService', file: 0, methods: [0, 1, 2, 3] }],
}

/** Two files, and names that are traps. */
export const nastyProto: Schema = {
  files: [
    { path: 'idl/nasty.proto', root: true, package: 'na.sty', includes: [1] },
    { path: 'idl/common/base.proto', root: false },
  ],
  enums: [
    {
      name: 'na.sty.Map.ItemColour',
      file: 0,
      members: [
        { name: 'ITEM_COLOUR_UNSPECIFIED', value: 0, doc: 'None was said.' },
        { name: 'ITEM_COLOUR_class', value: -1 },
        { name: 'ITEM_COLOUR___proto__', value: 2 },
      ],
      doc: 'Open: a peer may know more.',
    },
    {
      name: 'Level',
      file: 1,
      closed: true,
      members: [
        { name: 'LOW', value: 1 },
        { name: 'HIGH', value: 2 },
      ],
      annotations: { deprecated: 'true' },
    },
  ],
  structs: [
    message(
      'na.sty.Map',
      [
        { id: 1, name: '__proto__', type: 'bool', doc: 'Loses its underscores.' },
        { id: 2, name: 'constructor', type: 'uint32' },
        optional(3, 'to_string', 'string', { doc: 'Nobody asks.', annotations: { deprecated: 'true' } }),
        { id: 4, name: 'toString', type: { list: { struct: 0 } }, requiredness: 'default' },
        { id: 5, name: 'colours', type: { map: ['string', { enum: 0 }] } },
        { id: 6, name: 'by_number', type: { map: ['fixed64', { struct: 1 }] } },
        optional(7, 'level', { enum: 1 }, { default: { int: '2' } }),
        optional(8, 'blob', 'binary', { default: { binary: '/w==' } }),
        optional(9, 'ratio', 'float', { default: { double: '-Infinity' } }),
        { id: 10, name: 'must', type: 'sint64', requiredness: 'required' },
        optional(11, 'case', 'string', { oneof: 0, doc: 'The first of them.' }),
        optional(12, 'value', { struct: 1 }, { oneof: 0 }),
        optional(13, 'level_of', { enum: 1 }, { oneof: 0 }),
        { id: 14, name: 'f0', type: 'double' },
        { id: 15, name: 'colour', type: { enum: 0 } },
        ...Array.from({ length: 20 }, (_, index): Field => ({
          id: 20 + index,
          name: `more_${index}`,
          type: 'fixed32',
        })),
      ],
      { oneofs: ['colours'], doc: 'Its name is a global of JavaScript.' },
    ),
    message('na.sty.Map.Item', [optional(1, 'common', { struct: 4 })], { doc: 'Nested.' }),
    message('na.sty.Map_Item', []),
    message('na.sty.MapInit', [], { annotations: { deprecated: 'true' } }),
    message('UnknownFields', [optional(1, 'level', { enum: 1 })], { file: 1 }),
  ],
  methods: [
    { name: 'Get', service: 0, args: 0, result: 4, annotations: { idempotent: 'true' }, doc: 'Gets.' },
    { name: 'then', service: 0, args: 2, result: 2, server_streaming: true, annotations: { deprecated: 'true' } },
  ],
  services: [{ name: 'na.sty.Object', file: 0, methods: [0, 1] }],
}
