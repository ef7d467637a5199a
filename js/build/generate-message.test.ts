import { join } from 'node:path'
import test from 'ava'
import type { GrpcServiceDescriptor, MessageDescriptor } from '../core/descriptor.js'
import { Relay } from '../core/tape/relay.test.helper.js'
import { parseProto } from '../schema/parse.js'
import { matchesGolden, mistakesIn, named, root, writeGenerated } from './golden.test.helper.js'
import { nastyProto } from './proto-schemas.test.helper.js'

test('item.proto becomes what stands in golden/item-proto', (t) =>
  matchesGolden(t, 'item-proto', named(parseProto([join(root, 'examples/item.proto')]))))

test('nasty.proto becomes what stands in golden/nasty-proto', (t) => matchesGolden(t, 'nasty-proto', named(nastyProto)))

test('declarations of messages are what they promise', async (t) => {
  t.deepEqual(await mistakesIn(await writeGenerated(nastyProto, 'types'), 'proto-expectations.ts'), [])
})

test('code of the nastiest messages runs', async (t) => {
  const folder = await writeGenerated(nastyProto, 'code')
  const { Object: service, MapSchema } = (await import(`${folder}/index.js`)) as {
    Object: GrpcServiceDescriptor
    MapSchema: MessageDescriptor
  }
  const relay = new Relay(nastyProto)
  const read = relay.protobuf(
    MapSchema.index,
    (out) => MapSchema.write(out, { must: -1n, Proto: true, colours_: { case: 'value', value: {} } }),
    (tape, p) => MapSchema.read(tape, p) as Record<string, unknown>,
  )
  t.is(read.must, -1n)
  t.is(read.Proto, true)
  t.is(read.level, 2)
  t.deepEqual(read.blob, new Uint8Array([255]))
  t.is(read.ratio, -Infinity)
  t.deepEqual(read.colours_, { case: 'value', value: { common: undefined } })
  const { get, then } = service.methods
  t.like(get, { wireName: 'Get', path: '/na.sty.Object/Get', kind: 'unary', idempotent: true, oneway: false })
  t.like(then, { path: '/na.sty.Object/then', kind: 'serverStream', annotations: { deprecated: 'true' } })
  t.is(get.input, MapSchema)
  t.is(get.output.name, 'UnknownFields')
})
