import { setTimeout as sleep } from 'node:timers/promises'

import test from 'ava'

import { Items, NotFound } from '../core/items.fixture.js'
import {
  AnyService,
  BizError,
  Client,
  json,
  Metainfo,
  proxy,
  Server,
  ThriftApplicationError,
  timeout,
  VoloError,
  type Handlers,
  type ServerHandle,
  type ThriftProtocol,
  type ThriftServiceDescriptor,
  type ThriftTransport,
} from './index.js'
import { impl, type Builder } from './items.test.helper.js'

/** The server at the end. */
async function behind(over: Partial<Handlers<typeof Items>> = {}): Promise<ServerHandle> {
  return Server.of(Items, { ...impl, ...over }).listen('127.0.0.1:0')
}

function builderOf(server: ServerHandle, set: (builder: Builder) => Builder = (builder) => builder): Builder {
  return set(Client.of(Items, 'shop.items').address(server.address))
}

const wires: readonly (readonly [ThriftTransport, ThriftProtocol])[] = [
  ...(['framed', 'buffered', 'header', 'header-framed'] as const).flatMap((transport) =>
    (['binary', 'compact', 'json'] as const).map((protocol) => [transport, protocol] as const),
  ),
  ...(['ttheader', 'ttheader-framed'] as const).flatMap((transport) =>
    (['binary', 'compact'] as const).map((protocol) => [transport, protocol] as const),
  ),
]

for (const [transport, protocol] of wires) {
  test(`calls over every wire go on over ${transport}, ${protocol}`, async (t) => {
    const notes: string[] = []
    await using end = await behind({ note: (text) => void notes.push(text) })
    for (const pooled of [true, false]) {
      const upstream = builderOf(end, (builder) => builder.transport(transport).protocol(protocol))
      if (!pooled) upstream.pipelined()
      await using front = await new Server().add(proxy(Items, upstream)).listen('127.0.0.1:0')
      for (const [ofCaller, protocolOfCaller] of wires) {
        const label = `${ofCaller}, ${protocolOfCaller}`
        await using client = builderOf(front, (builder) =>
          builder.transport(ofCaller).protocol(protocolOfCaller).pipelined(),
        ).build()
        const ids = Array.from({ length: 20 }, (_, n) => BigInt(n) * 1_000_000_007n)
        t.deepEqual(
          await Promise.all(ids.map((id) => client.get(id))),
          ids.map((id) => ({ id, title: 'żółw €😀' })),
          label,
        )
        t.is(await client.join({ left: 'x'.repeat(70_000), right: '"\\\n' }), `${'x'.repeat(70_000)}"\\\n`, label)
        t.is(await client.nothing(), undefined, label)
        t.like(await t.throwsAsync(client.get(-5n), { instanceOf: NotFound }, label), { id: -5n })
        await client.note(label)
        while (!notes.includes(label)) await sleep(5)
      }
      const calls = wires.length * 24
      t.like(front.stats(), { calls, inFlight: 0, exceptions: 0, protocolErrors: 0 })
      const [{ stats }] = front.upstreams()
      t.like(stats, { calls, answered: calls, inFlight: 0, failed: 0, cancelled: 0 })
      notes.length = 0
    }
    t.is(end.stats().protocolErrors, 0)
  })
}

test('exceptions of the upstream are told as they are, and counted', async (t) => {
  await using end = await behind({
    join: () => {
      throw new ThriftApplicationError('busy', 9)
    },
  })
  await using front = await new Server().add(proxy(Items, builderOf(end))).listen('127.0.0.1:0')
  for (const protocol of ['binary', 'compact', 'json'] as const) {
    await using client = builderOf(front, (builder) => builder.protocol(protocol)).build()
    const error = await t.throwsAsync(client.join({ left: '', right: '' }), { instanceOf: ThriftApplicationError })
    t.like(error, { message: 'busy', type: 9 })
  }
  t.like(front.stats(), { calls: 3, replies: 0, exceptions: 3 })
})

test('over TTHeader everything travels: names, metainfo, the time left; and back', async (t) => {
  const seen: unknown[] = []
  await using end = await behind({
    get: (id, cx) => {
      seen.push(cx.caller.service, cx.metadata.get('Trace-Id'), cx.metainfo.persistent.get('Tenant'))
      const left = (cx.deadline ?? Infinity) - Date.now()
      seen.push(cx.metainfo.transient.get('hop'), left > 0 && left <= 5000)
      cx.metainfo.backward.set('Served\nBy', 'a\\b')
      cx.response.headers.set('x-cost', '3')
      return { id, title: '' }
    },
  })
  for (const protocol of ['binary', 'compact'] as const) {
    const upstream = builderOf(end, (builder) => builder.transport('ttheader').protocol(protocol).multiplexed())
    await using front = await new Server().add(proxy(Items, upstream)).listen('127.0.0.1:0')
    for (const transport of ['ttheader', 'ttheader-framed'] as const) {
      await using client = builderOf(front, (builder) => builder.transport(transport).caller('shop.gateway')).build()
      const metainfo = new Metainfo({ persistent: { Tenant: 'blue\n\\n' }, transient: { hop: '1' } })
      await client.get(1n, { metainfo, metadata: { 'Trace-Id': 'abc' }, timeout: '5s' })
      t.deepEqual(seen.splice(0), ['shop.gateway', 'abc', 'blue\n\\n', '1', true])
      t.is(metainfo.backward.get('Served\nBy'), 'a\\b')
      t.is(metainfo.backward.get('x-cost'), '3')
    }
  }
})

test('headers travel between TTHeader and THeader, too', async (t) => {
  const seen: unknown[] = []
  await using end = await behind({
    get: (id, cx) => {
      seen.push(cx.metadata.get('trace-id'))
      cx.response.headers.set('x-cost', '3')
      return { id, title: '' }
    },
  })
  for (const [ofCaller, ofUpstream] of [
    ['ttheader', 'header'],
    ['header', 'ttheader'],
  ] as const) {
    const upstream = builderOf(end, (builder) => builder.transport(ofUpstream))
    await using front = await new Server().add(proxy(Items, upstream)).listen('127.0.0.1:0')
    await using client = builderOf(front, (builder) => builder.transport(ofCaller)).build()
    const metainfo = new Metainfo()
    await client.get(1n, { metainfo, metadata: { 'trace-id': 'abc' } })
    t.deepEqual(seen.splice(0), ['abc'])
    t.is(metainfo.backward.get('x-cost'), '3')
  }
})

test('business errors arrive as they were thrown where there are headers, and as exceptions where there are none', async (t) => {
  await using end = await behind({
    get: () => {
      throw new BizError(-4041, 'no such item', { id: '7' })
    },
  })
  const upstream = builderOf(end, (builder) => builder.transport('ttheader'))
  await using front = await new Server().add(proxy(Items, upstream)).listen('127.0.0.1:0')
  await using headed = builderOf(front, (builder) => builder.transport('ttheader').protocol('compact')).build()
  const error = await t.throwsAsync(headed.get(7n), { instanceOf: BizError })
  t.like(error, { statusCode: -4041, message: 'no such item', extra: { id: '7' } })
  await using framed = builderOf(front).build()
  t.like(await t.throwsAsync(framed.get(7n), { instanceOf: ThriftApplicationError }), {
    message: 'UNKNOWN: no such item',
  })
})

test('some methods are passed on, the others answered here; layers see these alone', async (t) => {
  await using end = await behind()
  await using other = await behind({ join: () => 'of the other' })
  const once = proxy(Items, builderOf(end), { methods: ['get', 'note'] })
  const twice = proxy(once, builderOf(other), { methods: ['join'] })
  const seen: string[] = []
  await using front = await new Server()
    .add(twice, { nothing: () => undefined })
    .layer({
      name: 'seen',
      layer: (inner) => ({
        call: (cx, request) => {
          seen.push(cx.method.name)
          return inner.call(cx, request)
        },
      }),
    })
    .listen('127.0.0.1:0')
  await using client = builderOf(front).build()
  t.is((await client.get(3n)).id, 3n)
  t.is(await client.join({ left: 'a', right: 'b' }), 'of the other')
  await client.nothing()
  t.deepEqual(seen, ['nothing'])
  t.deepEqual([end.stats().calls, other.stats().calls, front.stats().calls], [1, 1, 3])
  t.deepEqual(
    front.upstreams().map(({ callee, address, stats }) => [callee, address, stats.calls]),
    [
      ['shop.items', end.address, 1],
      ['shop.items', other.address, 1],
    ],
  )
})

test('services of one port go to upstreams of their own, however a call names its service', async (t) => {
  // They share their methods, as services do that extend one another.
  const Others = { ...Items, name: 'Others', index: 1 } as unknown as typeof Items
  const schema = JSON.parse(Items.program.schema) as { services: { name: string }[] }
  schema.services.push({ ...schema.services[0], name: 'Others' })
  const program = { ...Items.program, hash: '0123456789abcdef', schema: JSON.stringify(schema) }
  const [A, B] = [Items, Others].map((service) => ({ ...service, program })) as [typeof Items, typeof Items]
  await using first = await behind({ join: () => 'first' })
  await using second = await behind({ join: () => 'second' })
  await using front = await new Server()
    .add(proxy(A, builderOf(first)))
    .add(
      proxy(
        B,
        builderOf(second, (builder) => builder.transport('ttheader')),
      ),
    )
    .listen('127.0.0.1:0')
  const call = async (service: typeof Items, set: (builder: Builder) => Builder): Promise<string> => {
    await using client = set(Client.of(service, 'any').address(front.address)).build()
    return await client.join({ left: '', right: '' })
  }
  t.is(await call(Others, (builder) => builder), 'first', 'who names none is answered by the first')
  for (const name of [
    (builder: Builder) => builder.transport('ttheader'),
    (builder: Builder) => builder.multiplexedService(),
    (builder: Builder) => builder.multiplexedService().protocol('compact'),
  ]) {
    t.is(await call(Items, name), 'first')
    t.is(await call(Others, name), 'second')
  }
})

test('an upstream may want services in front of methods', async (t) => {
  await using end = await behind()
  const upstream = builderOf(end, (builder) => builder.multiplexedService())
  await using front = await new Server().add(proxy(Items, upstream)).listen('127.0.0.1:0')
  await using client = builderOf(front).build()
  t.is(await client.join({ left: 'a', right: 'b' }), 'ab')
})

test('what no service has is passed on without an IDL', async (t) => {
  const notes: string[] = []
  await using end = await behind({ note: (text) => void notes.push(text) })
  const Known = proxy(Items, builderOf(end), { methods: ['get', 'note', 'nothing'] })
  const estate = Client.of(AnyService, 'estate').address(end.address).transport('ttheader').multiplexed()
  await using front = await new Server()
    .add({ ...Known, name: 'Known' }, { join: () => 'answered here' })
    .add(proxy(AnyService, estate))
    .listen('127.0.0.1:0')
  await using known = builderOf(front).build()
  t.is(await known.join({ left: '', right: '' }), 'answered here')
  await using all = await new Server().add(proxy(AnyService, estate)).listen('127.0.0.1:0')
  for (const [transport, protocol] of wires) {
    await using client = builderOf(all, (builder) => builder.transport(transport).protocol(protocol)).build()
    t.is(await client.join({ left: 'a', right: protocol }), `a${protocol}`)
    await client.note(transport + protocol)
    while (!notes.includes(transport + protocol)) await sleep(5)
    t.like(await t.throwsAsync(client.get(-5n), { instanceOf: NotFound }), { id: -5n })
  }
  // The upstream does not know it either, and says so.
  await using named = Client.of({ ...Items, name: 'Nobody' }, '')
    .address(all.address)
    .multiplexedService()
    .build()
  t.like(await t.throwsAsync(named.get(1n), { instanceOf: ThriftApplicationError }), {
    type: 1,
    message: 'unknown method "Nobody:get"',
  })
  t.is(all.stats().unknownMethods, 0)
})

test('a JSON service is proxied in part as others are', async (t) => {
  await using end = await behind()
  const service = json(proxy(Items, builderOf(end), { methods: ['get', 'note', 'nothing'] }))
  await using front = await new Server().add(service, { join: () => 'json' }).listen('127.0.0.1:0')
  await using client = builderOf(front).build()
  t.is(await client.join({ left: '', right: '' }), 'json')
  t.is((await client.get(3n)).id, 3n)
})

test('what cannot be passed on is refused where it is said', async (t) => {
  await using end = await behind()
  const refused = (what: () => unknown, message: RegExp): void => {
    t.like(t.throws(what, { instanceOf: VoloError, message }), { code: 'INVALID_ARGUMENT' })
  }
  refused(() => proxy(Items, builderOf(end).layerOuter(timeout('1s'))), /has layers/)
  refused(() => proxy(Items, builderOf(end).runtime('inline')), /has a runtime/)
  refused(() => proxy(Items, Client.of(Items, 'nowhere')), /no address/)
  refused(() => proxy(Items, builderOf(end), { methods: ['got' as 'get'] }), /no method "got"/)
  refused(() => proxy(proxy(Items, builderOf(end)), builderOf(end), { methods: ['get' as never] }), /"get"/)
  refused(() => proxy(Items, builderOf(end), { timeout: 'soon' as '1s' }), /timeout/)
  refused(() => new Server().add(proxy(Items, builderOf(end), { methods: ['get'] }), {} as never), /no handler/)
  refused(() => new Server().add(AnyService, {}), /AnyService/)
  refused(() => proxy({ ...Items, protocol: 'grpc' } as unknown as ThriftServiceDescriptor, builderOf(end)), /gRPC/)
  const both = new Server().add(proxy(AnyService, builderOf(end))).unknownMethod(() => new Uint8Array(1))
  await t.throwsAsync(both.listen('127.0.0.1:0'), { instanceOf: VoloError, message: /unknownMethod/ })
  const inside = Client.of(Items, 'inside').address('memory:inside')
  await t.throwsAsync(new Server().add(proxy(Items, inside)).runtime('tokio').listen('127.0.0.1:0'), {
    instanceOf: VoloError,
    message: /inside this isolate/,
  })
})

test('an upstream may be in the same isolate, or have a name', async (t) => {
  await using inside = await Server.of(Items, impl).listen('memory:proxied')
  await using front = await new Server()
    .add(proxy(Items, Client.of(Items, 'inside').address('memory:proxied')))
    .listen('memory:front')
  await using client = Client.of(Items, 'front').address('memory:front').build()
  t.is(await client.join({ left: 'a', right: 'b' }), 'ab')
  t.deepEqual([inside.stats().calls, front.stats().calls], [1, 1])
  await using end = await behind()
  const port = end.address.slice(end.address.lastIndexOf(':') + 1)
  const named = Client.of(Items, 'named').address({ host: 'localhost', port: Number(port) })
  await using other = await new Server().add(proxy(Items, named)).listen('127.0.0.1:0')
  await using caller = builderOf(other).build()
  t.is(await caller.join({ left: 'a', right: 'b' }), 'ab')
  t.is(other.upstreams()[0].address, `localhost:${port}`)
})
