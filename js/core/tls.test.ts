import { readFileSync } from 'node:fs'
import { connect } from 'node:tls'
import { fileURLToPath } from 'node:url'

import test, { type ExecutionContext } from 'ava'

import {
  Client,
  Server,
  TransportError,
  VoloError,
  type ClientTlsOptions,
  type Handlers,
  type PeerTls,
  type ServerHandle,
  type ServerTlsOptions,
} from '../index.js'
import { loadProto } from '../grpc/load.js'
import { proxy } from '../thrift/proxy.js'
import { Items } from './items.fixture.js'

const pem = (name: string): Buffer => readFileSync(new URL(`../../tests/fixtures/tls/${name}`, import.meta.url))
const ca = pem('ca.pem')
const identity = (name: string): { cert: Buffer; key: Buffer } => ({
  cert: pem(`${name}.pem`),
  key: pem(`${name}.key`),
})
const { ItemService } = await loadProto(fileURLToPath(new URL('../../examples/item.proto', import.meta.url)))

const impl: Handlers<typeof Items> = {
  get: (id) => ({ id, title: '' }),
  join: ({ left, right }) => left + right,
  nothing: () => undefined,
  note: () => undefined,
}

interface Served {
  readonly handle: ServerHandle
  readonly events: string[]
  readonly seen: (PeerTls | undefined)[]
  readonly client: (tls: ClientTlsOptions, host?: string) => Client<typeof Items>
}

async function serve(t: ExecutionContext, tls: ServerTlsOptions): Promise<Served> {
  const events: string[] = []
  const seen: (PeerTls | undefined)[] = []
  const watched: Handlers<typeof Items> = {
    ...impl,
    join: ({ left, right }, cx) => {
      seen.push(cx.peer.tls)
      return left + right
    },
  }
  const handle = await Server.of(Items, watched)
    .tls(tls)
    .options({ onEvent: ({ text }) => events.push(text) })
    .listen('127.0.0.1:0')
  t.teardown(() => handle.close({ grace: '100ms' }))
  const client: Served['client'] = (options, host = '127.0.0.1') => {
    const made = Client.of(Items, 'items')
      .tls(options)
      .connectTimeout('10s')
      .address(`${host}:${handle.address.split(':').pop()}`)
      .build()
    t.teardown(() => Client.close(made, { grace: '100ms' }))
    return made
  }
  return { handle, events, seen, client }
}

const words = { left: 'a', right: 'b' }

test('calls are encrypted, and a handler sees how', async (t) => {
  const { client, seen } = await serve(t, identity('server'))
  t.is(await client({ ca }).join(words), 'ab')
  t.is(await client({ ca: ca.toString() }, 'localhost').join(words), 'ab')
  t.like(seen[0], { version: 'TLSv1.3', alpn: undefined, serverName: undefined, certificate: undefined })
  t.is(seen[1]?.serverName, 'localhost')
})

test('a large message goes in many records', async (t) => {
  const { client } = await serve(t, identity('server'))
  const left = 'x'.repeat(3_000_000)
  t.is((await client({ ca }).join({ left, right: '' })).length, left.length)
})

test('who is not trusted is not called, and the error says why', async (t) => {
  const { client } = await serve(t, identity('server'))
  const why = async (tls: ClientTlsOptions): Promise<string> => {
    const error = await t.throwsAsync(client(tls).join(words), { instanceOf: TransportError })
    t.is(error.code, 'UNAVAILABLE')
    return error.message
  }
  t.regex(await why({}), /nobody who is trusted has issued it/)
  t.regex(await why({ ca: pem('other-ca.pem') }), /nobody who is trusted has issued it/)
  t.regex(await why({ ca, serverName: 'elsewhere.test' }), /connect by a name that it is for, or set serverName/)
  t.is(await client({ trustAnybody: true, serverName: 'elsewhere.test' }).join(words), 'ab')
})

test('mutual TLS: a client shows who it is', async (t) => {
  const { client, events, seen } = await serve(t, { ...identity('server'), ca })
  const error = await t.throwsAsync(client({ ca }).join(words), { instanceOf: TransportError })
  t.regex(error.message, /give cert and key/)
  t.regex(events[0] ?? '', /showed no certificate/)
  t.is(await client({ ca, ...identity('client') }).join(words), 'ab')
  t.is(seen[0]?.certificate?.subject, 'CN=the client')
  await t.throwsAsync(client({ ca, ...identity('other') }).join(words), { instanceOf: TransportError })
})

test('a server has certificates for several names', async (t) => {
  const { client } = await serve(t, { ...identity('server'), byName: { 'named.test': identity('named') } })
  t.is(await client({ ca, serverName: 'named.test' }).join(words), 'ab')
  t.is(await client({ ca, serverName: 'shop.test' }).join(words), 'ab')
})

test('new certificates are for new connections; open ones go on', async (t) => {
  const { client, handle } = await serve(t, identity('server'))
  const first = client({ ca })
  t.is(await first.join(words), 'ab')
  handle.reloadTls(identity('other'))
  t.is(await first.join(words), 'ab')
  t.is(Client.stats(first).connects, 1)
  const second = client({ ca })
  await t.throwsAsync(second.join(words), { message: /nobody who is trusted/ })
  Client.reloadTls(second, { ca: pem('other-ca.pem') })
  t.is(await second.join(words), 'ab')
  const error = t.throws(() => handle.reloadTls({ cert: 'nothing', key: 'nothing' }), { instanceOf: VoloError })
  t.is(error.code, 'INVALID_ARGUMENT')
})

for (const runtime of ['inline', 'tokio'] as const) {
  test(`whom a proxy trusts can change while it runs, ${runtime}`, async (t) => {
    const { handle: end } = await serve(t, identity('server'))
    const upstream = Client.of(Items, 'items')
      .tls({ ca: pem('other-ca.pem') })
      .address(end.address)
    const plain = Client.of(Items, 'plain').address(end.address)
    const front = await new Server()
      .add(proxy(proxy(Items, upstream, { methods: ['join'] }), plain))
      .runtime(runtime)
      .listen('127.0.0.1:0')
    t.teardown(() => front.close({ grace: '100ms' }))
    const client = Client.of(Items, 'front').address(front.address).build()
    t.teardown(() => Client.close(client, { grace: 0 }))
    await t.throwsAsync(client.join(words), { message: /nobody who is trusted/ })
    front.reloadUpstreamTls(upstream, { ca })
    t.is(await client.join(words), 'ab')
    const wrong = (given: typeof plain, tls: ClientTlsOptions, code: string) =>
      t.throws(() => front.reloadUpstreamTls(given, tls), { instanceOf: VoloError, code })
    wrong(upstream, { ca: 'nothing' }, 'INVALID_ARGUMENT')
    wrong(plain, { ca }, 'FAILED_PRECONDITION')
    wrong(Client.of(Items, 'stranger').address(end.address), { ca }, 'INVALID_ARGUMENT')
    t.is(await client.join(words), 'ab')
    await front.close()
    wrong(upstream, { ca }, 'FAILED_PRECONDITION')
  })
}

test('certificates that cannot be used are named where they are given', async (t) => {
  const refused = { instanceOf: VoloError, code: 'INVALID_ARGUMENT' } as const
  const build = (tls: ClientTlsOptions): unknown => Client.of(Items, 'items').tls(tls).address('127.0.0.1:1').build()
  t.regex(t.throws(() => build({ ca: 'nothing' }), refused).message, /^tls: ca: no certificate in PEM form/)
  t.regex(t.throws(() => build({ ca, cert: pem('client.pem') }), refused).message, /give both, or neither/)
  const server = Server.of(Items, impl).tls({ cert: pem('server.pem'), key: pem('client.key') })
  t.regex((await t.throwsAsync(server.listen('127.0.0.1:0'), refused)).message, /^tls: key: it does not belong to cert/)
})

/** Methods that are there because the service has them. */
const unasked = { streamItems: () => [], clientStream: () => ({}), bidirectionalStream: () => [] }

test('gRPC goes over TLS, by HTTP/2 as ALPN says', async (t) => {
  const handle = await new Server()
    .add(ItemService, { getItem: ({ id }: { id: bigint }) => ({ item: { id, title: 'sealed' } }), ...unasked } as never)
    .tls(identity('server'))
    .listen('127.0.0.1:0')
  t.teardown(() => handle.close({ grace: '100ms' }))
  const client = Client.of(ItemService, 'items').tls({ ca }).connectTimeout('10s').address(handle.address).build()
  t.teardown(() => Client.close(client, { grace: '100ms' }))
  const { getItem } = client as unknown as { readonly getItem: (request: object) => Promise<object> }
  t.like(await getItem({ id: 7n }), { item: { id: 7n, title: 'sealed' } })
  const port = Number(handle.address.split(':').pop())
  const alpn = await new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, ca, ALPNProtocols: ['h2'] }, () => {
      resolve(socket.alpnProtocol)
      socket.destroy()
    }).on('error', reject)
  })
  t.is(alpn, 'h2')
})

for (const kind of ['tokio', 'monoio'] as const) {
  test(`TLS on I/O threads: ${kind}`, async (t) => {
    const handle = await Server.of(Items, impl)
      .tls(identity('server'))
      .runtime(kind, { threads: 2 })
      .listen('127.0.0.1:0')
    t.teardown(() => handle.close({ grace: '100ms' }))
    const make = Client.of(Items, 'items').tls({ ca }).connectTimeout('10s').runtime(kind).address(handle.address)
    const client = make.build()
    t.teardown(() => Client.close(client, { grace: '100ms' }))
    const right = 'y'.repeat(200_000)
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => client.join({ left: String(n), right })))
    t.deepEqual(
      answers.map((answer) => answer.length),
      answers.map((_, n) => String(n).length + right.length),
    )
  })
}
