/** Services of other libraries' generators, served and called here, and together with generated ones. */
import test, { type ExecutionContext } from 'ava'

import { create, equals, toBinary, type MessageInitShape } from '@bufbuild/protobuf'
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { Client, fromDefinition, GrpcError, Server, type GrpcServiceDescriptor } from 'volo-js/grpc'
import { fromGenService } from 'volo-js/protobuf-es'

import { ItemServiceDefinition } from '../../fixtures/foreign/golden/item-generic.js'
import { ItemServiceService, type Item } from '../../fixtures/foreign/golden/item-grpc-js.js'
import { Kind, LittleSchema, PartSchema, Shapes, ShapeSchema } from '../../fixtures/foreign/golden/shapes_pb.js'
import { ItemService } from '../../../examples/volo-gen/grpc/index.js'

async function all<T>(messages: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const message of messages) list.push(message)
  return list
}

/** A server that ends with the test; its address. */
async function serve(t: ExecutionContext, server: Server): Promise<string> {
  const handle = await server.listen('127.0.0.1:0')
  t.teardown(() => handle.close({ grace: '100ms' }))
  return handle.address
}

function call<S extends GrpcServiceDescriptor>(t: ExecutionContext, service: S, address: string): Client<S> {
  const client = Client.of(service, service.name).address(address).build()
  t.teardown(() => Client.close(client, { grace: '100ms' }))
  return client
}

const shapes = fromGenService(Shapes)

const full: MessageInitShape<typeof ShapeSchema> = {
  explicit: 0,
  implicit: 7,
  text: '-9223372036854775808',
  texts: ['18446744073709551615', '0'],
  byNumber: { [-1]: { name: 'minus one' }, 2: { back: { given: 'deep' } } },
  byLong: { '9007199254740993': 'odd' },
  byBool: { true: new Uint8Array([1, 255]), false: new Uint8Array() },
  byName: { __proto__x: { a: 1, b: [null, true, 'x', { c: {} }] } },
  wrapped: '',
  wrappedBytes: new Uint8Array([9]),
  wrappers: [{ value: 5n }, {}],
  json: { n: null, list: [1, 'two'], nested: { __proto__: 'not me' } },
  value: { kind: { case: 'structValue', value: { fields: { x: { kind: { case: 'numberValue', value: 0.5 } } } } } },
  at: { seconds: 1n, nanos: 2 },
  part: { name: 'part', back: { constructor$: 'inside' } },
  parts: [{ name: 'a' }, {}],
  grouped: { name: 'grouped' },
  one: { case: 'oneLong', value: '42' },
  constructor$: 'reserved',
  data: new Uint8Array([1, 2, 3]),
  kind: Kind.SOME,
}

test('GenService: messages come and go in the shape of protobuf-es', async (t) => {
  const seen: unknown[] = []
  const server = Server.of(shapes, {
    echo: (shape) => {
      seen.push(shape)
      return shape
    },
    async *split({ parts }) {
      yield* parts
    },
    async join(parts) {
      return { parts: await all(parts) }
    },
    async *both(many) {
      yield* many
    },
    belittle: (little) => little,
  })
  const client = call(t, shapes, await serve(t, server))
  const cases: MessageInitShape<typeof ShapeSchema>[] = [
    full,
    {},
    { one: { case: 'oneShape', value: full } },
    { one: { case: 'oneWrapped', value: { value: 3 } } },
    { one: { case: 'oneText', value: '' } },
  ]
  for (const init of cases) {
    const message = create(ShapeSchema, init)
    for (const given of [init, message]) {
      const answer = await client.echo(given)
      t.true(equals(ShapeSchema, answer, message), JSON.stringify(Object.keys(init)))
      t.deepEqual(answer, message)
      t.deepEqual(seen.pop(), message)
      t.deepEqual(toBinary(ShapeSchema, answer), toBinary(ShapeSchema, message))
    }
  }
  const empty = await client.echo({})
  t.is(empty.given, 'as given')
  t.false(Object.hasOwn(empty, 'given'))
  t.is(empty.$typeName, 'volo.shapes.Shape')

  const parts = [{ name: 'a' }, { name: 'b', back: full }].map((init) => create(PartSchema, init))
  t.deepEqual(await all(client.split({ parts })), parts)
  t.deepEqual((await client.join(parts)).parts, parts)
  t.deepEqual(
    (await all(client.both([full, {}]))).map((shape) => shape.implicit),
    [7, 0],
  )
  t.true(shapes.methods.echo.idempotent)
})

test('GenService: fields that nobody knows pass through, and can be read by protobuf-es', async (t) => {
  const little = fromGenService(Shapes)
  let seen: unknown
  const server = Server.of(little, {
    echo: (shape) => shape,
    async *split() {},
    join: () => ({}),
    async *both() {},
    belittle: (message) => {
      seen = message.$unknown
      return message
    },
  })
  const client = call(t, little, await serve(t, server))
  const data = new BinaryWriter().string('who?').finish()
  const message = create(LittleSchema, { explicit: 5 })
  message.$unknown = [
    { no: 700, wireType: WireType.LengthDelimited, data },
    { no: 701, wireType: WireType.Varint, data: new Uint8Array([1]) },
  ]
  const answer = await client.belittle(message)
  t.deepEqual(seen, message.$unknown)
  t.deepEqual(answer, message)
})

test('GenService: what has a wrong type is refused with its place', async (t) => {
  const client = call(t, shapes, '127.0.0.1:1')
  const wrong = (request: unknown, place: RegExp): Promise<unknown> =>
    t.throwsAsync(client.echo(request as never), { code: 'INVALID_ARGUMENT', message: place })
  await wrong({ implicit: 'x' }, /Shape\.implicit: expected number/)
  await wrong({ text: 'x' }, /Shape\.text: expected bigint/)
  await wrong({ byNumber: { x: {} } }, /Shape\.byNumber/)
  await wrong({ parts: [{ name: 5 }] }, /Shape\.parts\[0\]\.name/)
  await wrong({ parts: {} }, /Shape\.parts/)
  await wrong({ one: { case: 'none', value: 1 } }, /it has no case string "none"/)
  const none = (request: unknown, what: RegExp): Promise<unknown> =>
    t.throwsAsync(client.belittle(request as never), { code: 'INVALID_ARGUMENT', message: what })
  await none([], /Little: expected object, got array/)
  await none(Promise.resolve({}), /Little: .*await it/)
  await none('text', /Little: expected object, got string/)
})

const definitions = {
  'grpc-js': fromDefinition(ItemServiceService),
  generic: fromDefinition(ItemServiceDefinition),
} as const

const extra = { a: 'b' }
const items = {
  getItem: ({ id }: { id: bigint }) => ({ item: { id, title: 'raw', content: '', extra } }),
  async *streamItems({ id }: { id: bigint }) {
    for (let n = 1n; n <= 200n; n += 1n) yield { id: id + n, title: 'x'.repeat(Number(n)), content: '', extra }
  },
  async clientStream(sent: AsyncIterable<Item>) {
    const list = await all(sent)
    return { item: list.at(-1) }
  },
  async *bidirectionalStream(sent: AsyncIterable<Item>) {
    yield* sent
  },
}

for (const [form, service] of Object.entries(definitions)) {
  for (const compression of [undefined, 'gzip'] as const) {
    test(`a definition (${form}) on either side, ${compression ?? 'not compressed'}`, async (t) => {
      const options = compression === undefined ? {} : { compression }
      const address = await serve(t, Server.of(service, items).options(options))
      // Whoever reads the messages with a schema sees the same.
      for (const called of [service, ItemService] as const) {
        const client = Client.of(called as typeof service, 'items')
          .address(address)
          .options(options)
          .build()
        t.teardown(() => Client.close(client, { grace: '100ms' }))
        t.like(await client.getItem({ id: 7n }), { item: { id: 7n, title: 'raw', extra } })
        const list = await all(client.streamItems({ id: 1n }))
        t.deepEqual(
          list.map(({ id, title }) => [id, title.length]),
          Array.from({ length: 200 }, (_, n) => [BigInt(n + 2), n + 1]),
        )
        const last = { id: 2n, title: 'last', content: '', extra: {} }
        t.deepEqual((await client.clientStream([{ ...last, id: 1n }, last])).item, last)
        t.deepEqual(await all(client.bidirectionalStream([last])), [last])
      }
    })
  }
}

test('a definition: codecs that fail end their call only', async (t) => {
  const broken = fromDefinition({
    ...ItemServiceService,
    getItem: {
      ...ItemServiceService.getItem,
      requestDeserialize: (bytes: Buffer) => {
        if (bytes.length === 0) throw new RangeError('nothing there')
        return ItemServiceService.getItem.requestDeserialize(bytes)
      },
      responseSerialize: (value: Parameters<typeof ItemServiceService.getItem.responseSerialize>[0]) => {
        if (value.item === undefined) throw new RangeError('secret')
        return ItemServiceService.getItem.responseSerialize(value)
      },
    },
  })
  const errors: unknown[] = []
  const server = Server.of(broken, {
    ...items,
    getItem: ({ id }) => (id === 1n ? { item: undefined } : items.getItem({ id })),
  })
  const client = call(
    t,
    definitions.generic,
    await serve(t, server.options({ onError: (error) => errors.push(error) })),
  )
  await t.throwsAsync(client.getItem({ id: 0n }), {
    instanceOf: GrpcError,
    code: 'INTERNAL',
    message: 'the request of volo.example.ItemService.GetItem cannot be read: nothing there',
  })
  const hidden = await t.throwsAsync(client.getItem({ id: 1n }), { code: 'UNKNOWN' })
  t.notRegex(hidden.message, /secret/)
  t.is(errors.length, 1)
  t.like(await client.getItem({ id: 5n }), { item: { id: 5n } })
})

test('what is no definition is refused', (t) => {
  t.throws(() => fromDefinition({}), { message: 'the service definition has no methods' })
  t.throws(() => fromDefinition({ get: { path: '/x/Get' } }), { message: /'get' is no method of a service definition/ })
  const other = { ...ItemServiceService.getItem, path: '/volo.example.Other/GetItem' as const }
  t.throws(() => fromDefinition({ ...ItemServiceService, other }), {
    message: /methods of volo.example.ItemService and volo.example.Other/,
  })
})

test('services of all kinds on one server, and reflection knows those that have descriptors', async (t) => {
  const server = new Server()
    .add(ItemService, { ...items, getItem: () => ({ item: { title: 'generated' } }) })
    .add(shapes, {
      echo: () => ({ given: 'es' }),
      async *split() {},
      join: () => ({}),
      async *both() {},
      belittle: () => ({}),
    })
  const raw = fromDefinition({
    getItem: { ...ItemServiceService.getItem, path: '/volo.example.Raw/GetItem' },
  })
  server.add(raw, items)
  t.throws(() => server.add(definitions.generic, items), {
    message: /has a service volo\.example\.ItemService already/,
  })
  const address = await serve(t, server.options({ reflection: true }))
  t.is((await call(t, ItemService, address).getItem({ id: 1n })).item?.title, 'generated')
  t.is((await call(t, shapes, address).echo({})).given, 'es')
  t.is((await call(t, raw, address).getItem({ id: 1n })).item?.title, 'raw')
})
