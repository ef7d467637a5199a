'use strict'
// item.proto as protobuf-es knows it. Its own generator needs a compiler for the IDL; the descriptor in JSON says the same.

const { from } = require('./options.cjs')

const field = (name, number, type, more = {}) => ({ name, number, type, label: 'LABEL_OPTIONAL', jsonName: name, ...more })
const message = (typeName) => `.volo.example.${typeName}`
const method = (name, inputType, outputType, clientStreaming, serverStreaming) => ({
  name,
  inputType: message(inputType),
  outputType: message(outputType),
  clientStreaming,
  serverStreaming,
})

const ITEM = {
  name: 'item.proto',
  package: 'volo.example',
  syntax: 'proto3',
  messageType: [
    {
      name: 'Item',
      field: [
        field('id', 1, 'TYPE_INT64'),
        field('title', 2, 'TYPE_STRING'),
        field('content', 3, 'TYPE_STRING'),
        field('extra', 10, 'TYPE_MESSAGE', { label: 'LABEL_REPEATED', typeName: message('Item.ExtraEntry') }),
      ],
      nestedType: [
        {
          name: 'ExtraEntry',
          field: [field('key', 1, 'TYPE_STRING'), field('value', 2, 'TYPE_STRING')],
          options: { mapEntry: true },
        },
      ],
    },
    { name: 'GetItemRequest', field: [field('id', 1, 'TYPE_INT64')] },
    { name: 'GetItemResponse', field: [field('item', 1, 'TYPE_MESSAGE', { typeName: message('Item') })] },
  ],
  service: [
    {
      name: 'ItemService',
      method: [
        method('GetItem', 'GetItemRequest', 'GetItemResponse', false, false),
        method('StreamItems', 'GetItemRequest', 'Item', false, true),
        method('ClientStream', 'Item', 'GetItemResponse', true, false),
        method('BidirectionalStream', 'Item', 'Item', true, true),
      ],
    },
  ],
}

/** All types and services of item.proto. */
exports.registry = function registry(given) {
  const require = from(given)
  const { createFileRegistry, create, fromJson } = require('@bufbuild/protobuf')
  const { FileDescriptorProtoSchema, FileDescriptorSetSchema } = require('@bufbuild/protobuf/wkt')
  return createFileRegistry(create(FileDescriptorSetSchema, { file: [fromJson(FileDescriptorProtoSchema, ITEM)] }))
}
