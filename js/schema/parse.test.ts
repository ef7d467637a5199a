import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { itemProto } from '../build/proto-schemas.test.helper.js'
import { IdlError } from './idl-error.js'
import { loadDescriptorSet, loadProto } from './load.js'
import type { Schema } from './model.js'
import { parseDescriptorSet, parseIdl, parseProto } from './parse.js'

const item = fileURLToPath(new URL('../../examples/item.proto', import.meta.url))
const itemThrift = fileURLToPath(new URL('../../examples/item.thrift', import.meta.url))

async function folder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'volo-js-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) }
}

/** Without comments and descriptors. */
function bare(schema: Schema): unknown {
  return JSON.parse(JSON.stringify({ ...schema, descriptors: undefined }), (key: string, value: unknown) =>
    key === 'doc' ? undefined : value,
  )
}

test('a .proto file becomes the schema that the generator expects', (t) => {
  const schema = parseProto([item])
  t.deepEqual(bare(schema), bare(itemProto))
  t.is(schema.structs[0]?.doc, 'Something that can be bought.')
})

test('a descriptor set gives the same schema as the files it was made from', (t) => {
  const schema = parseProto([item])
  const set = Buffer.from(schema.descriptors ?? '', 'base64')
  t.deepEqual(bare(parseDescriptorSet(set)), bare(schema))
  const error = t.throws(() => parseDescriptorSet(Buffer.from('nonsense')), { instanceOf: IdlError })
  t.regex(error.message, /not a google\.protobuf\.FileDescriptorSet/)
})

test('mistakes have their place, and advice only where there is some', async (t) => {
  await using temporary = await folder()
  const path = join(temporary.path, 'shop.proto')
  await writeFile(path, 'syntax = "proto3";\nmessage A { Itme a = 1; }\nmessage Item { int32 b = ; }\n')
  const { mistakes } = t.throws(() => parseProto([path]), { instanceOf: IdlError })
  t.deepEqual(mistakes, [
    {
      file: path,
      line: 3,
      column: 26,
      width: 1,
      message: 'expected an integer, but found `;`',
      source: 'message Item { int32 b = ; }',
    },
  ])
  await writeFile(path, 'syntax = "proto3";\nmessage A { Itme a = 1; }\nmessage Item { int32 b = 1; }\n')
  t.like(t.throws(() => parseProto([path]), { instanceOf: IdlError }).mistakes[0], {
    line: 2,
    column: 13,
    width: 4,
    hint: 'did you mean `Item`?',
  })
})

test('imports are found in the directories that are given', async (t) => {
  await using temporary = await folder()
  const { path } = temporary
  await mkdir(join(path, 'shared'))
  await writeFile(join(path, 'shared', 'base.proto'), 'edition = "2023"; message Base { int64 id = 1; }')
  await writeFile(
    join(path, 'main.proto'),
    'syntax = "proto3"; import "base.proto"; import "google/protobuf/timestamp.proto"; message M { Base b = 1; google.protobuf.Timestamp t = 2; }',
  )
  t.throws(() => parseProto([join(path, 'main.proto')]), { instanceOf: IdlError })
  const { files } = parseProto([join(path, 'main.proto')], [join(path, 'shared')])
  t.deepEqual(
    files?.map((file) => [file.path, file.root]),
    [
      ['main.proto', true],
      ['base.proto', false],
      ['google/protobuf/timestamp.proto', false],
    ],
  )
})

test('files of two languages are not built together', (t) => {
  t.is(parseIdl([item]).services[0]?.name, 'volo.example.ItemService')
  t.is(parseIdl([itemThrift]).services[0]?.name, 'ItemService')
  const error = t.throws(() => parseIdl([item, itemThrift]), { instanceOf: IdlError })
  t.is(error.mistakes[0]?.file, itemThrift)
})

for (const codegen of [true, false]) {
  test(`services are there by their names, ${codegen ? 'generated' : 'interpreted'}`, async (t) => {
    const services = await loadProto(item, { codegen })
    const { ItemService } = services
    t.is(services['volo.example.ItemService'], ItemService)
    t.is(ItemService?.protocol, 'grpc')
    const shapes = Object.values(ItemService?.methods ?? {}).map(({ name, kind, path }) => [name, kind, path])
    t.deepEqual(shapes, [
      ['getItem', 'unary', '/volo.example.ItemService/GetItem'],
      ['streamItems', 'serverStream', '/volo.example.ItemService/StreamItems'],
      ['clientStream', 'clientStream', '/volo.example.ItemService/ClientStream'],
      ['bidirectionalStream', 'bidiStream', '/volo.example.ItemService/BidirectionalStream'],
    ])
    const set = Buffer.from(parseProto([item]).descriptors ?? '', 'base64')
    t.deepEqual(Object.keys(await loadDescriptorSet(set, { codegen })), Object.keys(services))
  })
}
