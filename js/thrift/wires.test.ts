import { setTimeout as sleep } from 'node:timers/promises'

import test from 'ava'

import { Items, NotFound } from '../core/items.fixture.js'
import {
  BizError,
  Client,
  Metainfo,
  Server,
  ThriftApplicationError,
  timeout,
  VoloError,
  type Handlers,
  type ServerHandle,
  type ThriftContext,
  type ThriftProtocol,
  type ThriftTransport,
} from '../index.js'
import { impl, type Builder } from './items.test.helper.js'

async function serve(
  over: Partial<Handlers<typeof Items>> = {},
  set: (server: Server<ThriftContext>) => Server<ThriftContext> = (server) => server,
): Promise<ServerHandle> {
  return set(Server.of(Items, { ...impl, ...over })).listen('127.0.0.1:0')
}

function clientOf(server: ServerHandle, set: (builder: Builder) => Builder): Client<typeof Items> {
  return set(Client.of(Items, 'shop.items').address(server.address)).build()
}

const wires: readonly (readonly [ThriftTransport, ThriftProtocol])[] = [
  ...(['framed', 'buffered'] as const).flatMap((transport) =>
    (['binary', 'compact', 'json'] as const).map((protocol) => [transport, protocol] as const),
  ),
  ...(['ttheader', 'ttheader-framed', 'header', 'header-framed'] as const).flatMap((transport) =>
    (['binary', 'compact'] as const).map((protocol) => [transport, protocol] as const),
  ),
]

for (const [transport, protocol] of wires) {
  test(`a server answers ${protocol} over ${transport} in kind`, async (t) => {
    const notes: string[] = []
    await using server = await serve({ note: (text) => void notes.push(text) })
    for (const mode of ['pool', 'pipelined'] as const) {
      const set = (builder: Builder): Builder => builder.transport(transport).protocol(protocol)
      await using client = clientOf(server, (builder) => (mode === 'pool' ? set(builder) : set(builder).pipelined()))
      const ids = Array.from({ length: 200 }, (_, n) => BigInt(n) * 1_000_000_007n)
      const items = await Promise.all(ids.map((id) => client.get(id)))
      t.deepEqual(
        items,
        ids.map((id) => ({ id, title: 'żółw €😀' })),
      )
      t.is(await client.join({ left: 'x'.repeat(70_000), right: '"\\\n' }), `${'x'.repeat(70_000)}"\\\n`)
      t.is(await client.nothing(), undefined)
      t.like(await t.throwsAsync(client.get(-5n), { instanceOf: NotFound }), { id: -5n })
      await client.note(mode)
      // Behind it on the same server, whatever its connection.
      while (!notes.includes(mode)) await sleep(5)
    }
    t.is(server.stats().protocolErrors, 0)
  })
}

test('JSON does not go with TTHeader, and that is said where the client is built', async (t) => {
  await using server = await serve()
  t.throws(() => clientOf(server, (builder) => builder.transport('ttheader').protocol('json')), {
    instanceOf: VoloError,
    message: /not JSON/,
  })
})

for (const transport of ['header', 'header-framed'] as const) {
  test(`${transport} may be compressed, and its answer is then`, async (t) => {
    await using server = await serve()
    await using client = clientOf(server, (builder) => builder.transport(transport).options({ zlib: true }))
    const left = 'volo '.repeat(20_000)
    t.is(await client.join({ left, right: '' }), left)
    t.true(server.stats().bytesRead < 5000, `${server.stats().bytesRead} bytes`)
    t.true(server.stats().bytesWritten < 5000, `${server.stats().bytesWritten} bytes`)
  })
}

test('over TTHeader a handler knows who calls, what for, and how long it waits', async (t) => {
  const seen: unknown[] = []
  await using server = await serve({
    get: (id, cx) => {
      seen.push(cx.caller.service, cx.metadata.get('Trace-Id'), cx.metainfo.persistent.get('Tenant'))
      seen.push(cx.metainfo.transient.get('hop'), cx.deadline !== undefined && cx.deadline > Date.now())
      cx.metainfo.backward.set('Served\nBy', 'a\\b')
      cx.response.headers.set('x-cost', '3')
      return { id, title: '' }
    },
  })
  await using client = clientOf(server, (builder) => builder.transport('ttheader').caller('shop.gateway'))
  const metainfo = new Metainfo({ persistent: { Tenant: 'blue\n\\n' }, transient: { hop: '1' } })
  await client.get(1n, { metainfo, metadata: { 'Trace-Id': 'abc' }, timeout: '5s' })
  t.deepEqual(seen, ['shop.gateway', 'abc', 'blue\n\\n', '1', true])
  // Kitex's backward values have no prefix, so other headers of an answer are among them.
  t.deepEqual(
    new Map(metainfo.backward),
    new Map([
      ['Served\nBy', 'a\\b'],
      ['x-cost', '3'],
    ]),
  )
})

test('persistent values go all the way, transient ones one step; backward ones come from the next only', async (t) => {
  const last: [string, string][] = []
  await using end = await serve({
    get: (id, cx) => {
      last.push(...cx.metainfo.persistent, ...cx.metainfo.transient)
      cx.metainfo.backward.set('from', 'end')
      return { id, title: '' }
    },
  })
  await using next = clientOf(end, (builder) => builder.transport('ttheader'))
  await using middle = await serve({
    get: async (id, cx) => {
      cx.metainfo.persistent.set('added', 'here')
      const [item] = await cx.all((group) => [next.get(id, { parent: group })])
      await next.get(id, { parent: cx, metainfo: new Metainfo({ persistent: { tenant: 'own' } }) })
      return item
    },
  })
  await using client = clientOf(middle, (builder) => builder.transport('ttheader'))
  const metainfo = new Metainfo({ persistent: { tenant: 'blue' }, transient: { hop: '1' } })
  await client.get(1n, { metainfo })
  t.deepEqual(last, [
    ['tenant', 'blue'],
    ['added', 'here'],
    ['tenant', 'own'],
    ['added', 'here'],
  ])
  t.deepEqual([...metainfo.backward], [])
})

test('business errors arrive as they were thrown, over TTHeader', async (t) => {
  await using server = await serve({
    get: () => {
      throw new BizError(-4041, 'no such item', { id: '7' })
    },
  })
  await using client = clientOf(server, (builder) => builder.transport('ttheader').protocol('compact'))
  const error = await t.throwsAsync(client.get(7n), { instanceOf: BizError })
  t.like(error, { statusCode: -4041, message: 'no such item', extra: { id: '7' }, code: 'UNKNOWN', sent: 'yes' })
  await using framed = clientOf(server, (builder) => builder)
  t.like(await t.throwsAsync(framed.get(7n), { instanceOf: ThriftApplicationError }), {
    message: 'UNKNOWN: no such item',
  })
})

test('a call whose caller has stopped waiting is not begun; one that takes too long is answered in time', async (t) => {
  let begun = 0
  let aborted: unknown
  await using server = await serve({
    get: async (id, cx) => {
      begun += 1
      cx.signal.addEventListener('abort', () => (aborted = cx.signal.reason))
      await sleep(10_000, undefined, { ref: false })
      return { id, title: '' }
    },
    join: () => {
      // Holds the loop up: what has come meanwhile is late.
      const until = performance.now() + 80
      while (performance.now() < until);
      return ''
    },
  })
  await using client = clientOf(server, (builder) => builder.transport('ttheader').pipelined())
  const late = await t.throwsAsync(client.get(1n, { timeout: 500 }), { instanceOf: VoloError })
  t.is(late.code, 'DEADLINE_EXCEEDED')
  while (aborted === undefined) await sleep(5)
  t.like(aborted, { code: 'DEADLINE_EXCEEDED' })
  t.is(begun, 1)
})

test('multiplexed answers do not wait for each other', async (t) => {
  const release: (() => void)[] = []
  await using server = await serve(
    {
      get: async (id) => {
        if (id % 3n === 0n) await new Promise<void>((resolve) => release.push(resolve))
        return { id, title: '' }
      },
    },
    (server) => server.options({ maxInFlight: 64 }),
  )
  await using client = clientOf(server, (builder) => builder.transport('ttheader').multiplexed({ connections: 2 }))
  const slow = [0n, 3n, 6n].map((id) => client.get(id))
  for (let round = 0; round < 20; round += 1) {
    const ids = Array.from({ length: 50 }, (_, n) => BigInt(n) * 3n + 1n)
    t.deepEqual(
      (await Promise.all(ids.map((id) => client.get(id)))).map(({ id }) => id),
      ids,
    )
  }
  t.is(release.length, 3)
  for (const go of release) go()
  t.deepEqual(
    (await Promise.all(slow)).map(({ id }) => id),
    [0n, 3n, 6n],
  )
  t.is(Client.stats(client).connections, 2)
  t.is(server.stats().inFlight, 0)
})

test('calls say which service they are for', async (t) => {
  const Others = { ...Items, name: 'Others' } as unknown as typeof Items
  await using server = await serve()
  await using multiplexed = clientOf(server, (builder) => builder.multiplexedService())
  t.is((await multiplexed.get(3n)).id, 3n)
  await using wrong = Client.of(Others, 'others').address(server.address).multiplexedService().build()
  t.like(await t.throwsAsync(wrong.get(3n), { instanceOf: ThriftApplicationError }), { code: 'UNIMPLEMENTED' })
})

test('what no service has is answered as bytes, by who was asked to', async (t) => {
  const stop = Uint8Array.of(0)
  const seen: unknown[] = []
  await using server = await new Server<ThriftContext>()
    .unknownMethod(({ method, protocol, args }, cx) => {
      seen.push(method, protocol, Buffer.from(args).toString('latin1'), cx.method.wireName)
      return method === 'nothing' ? stop : Uint8Array.of(11, 0, 0, 0, 0, 0, 2, 0x6f, 0x6b, 0)
    })
    .listen('127.0.0.1:0')
  await using client = clientOf(server, (builder) => builder)
  t.is(await client.join({ left: 'a', right: 'b' }), 'ok')
  await client.nothing()
  const args = '\x0b\0\x01\0\0\0\x01a\x0b\0\x02\0\0\0\x01b\0'
  t.deepEqual(seen, ['join', 'binary', args, 'join', 'nothing', 'binary', '\0', 'nothing'])
  await using json = clientOf(server, (builder) => builder.protocol('json'))
  await t.throwsAsync(json.join({ left: 'a', right: 'b' }), { instanceOf: VoloError })
  t.deepEqual(seen.slice(8, 11), ['join', 'json', '{"1":{"str":"a"},"2":{"str":"b"}}'])
})

test('a call may go elsewhere', async (t) => {
  await using here = await serve()
  await using there = await serve({ get: (id) => ({ id, title: 'there' }) })
  await using client = clientOf(here, (builder) => builder.layerOuter(timeout('5s')))
  t.is((await client.get(1n, { address: there.address })).title, 'there')
  t.is((await client.get(1n)).title, 'żółw €😀')
  t.is(there.stats().calls, 1)
})
