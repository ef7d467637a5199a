import { readFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

import test, { type ExecutionContext } from 'ava'

import { loadProto } from '../grpc/load.js'
import {
  Client,
  Server,
  TransportError,
  VoloError,
  type ClientBuilder,
  type Handlers,
  type ServerHandle,
  type ThriftContext,
} from '../index.js'
import { Items } from './items.fixture.js'

const kinds = process.platform === 'win32' ? (['tokio'] as const) : (['inline', 'tokio', 'monoio'] as const)
const pem = (name: string): Buffer => readFileSync(new URL(`../../tests/fixtures/tls/${name}`, import.meta.url))

const impl: Handlers<typeof Items> = {
  get: (id) => ({ id, title: '' }),
  join: ({ left, right }) => left + right,
  nothing: () => undefined,
  note: () => undefined,
}

const words = { left: 'a', right: 'b' }
const builder = (address: string): ClientBuilder<typeof Items, ThriftContext> =>
  Client.of(Items, 'items').address(address)
const serve = (): Promise<ServerHandle> => Server.of(Items, impl).listen('127.0.0.1:0')

/** The kernel connects before a server accepts. */
async function hasAccepted(t: ExecutionContext, server: ServerHandle, connections: number): Promise<void> {
  while (server.stats().connections < connections) await sleep(5)
  t.is(server.stats().connections, connections)
}

/** Nobody listens there. */
async function nowhere(): Promise<string> {
  const server = await serve()
  await server.close()
  return server.address
}

for (const kind of kinds) {
  test(`${kind}: connections are there before the first call`, async (t) => {
    await using server = await serve()
    await using pooled = builder(server.address).runtime(kind).pool({ size: 5 }).build()
    await Client.warmUp(pooled, { connections: 4 })
    await hasAccepted(t, server, 4)
    t.is(server.stats().calls, 0)
    t.like(Client.stats(pooled), { connections: 4, calls: 0 })
    await Promise.all(Array.from({ length: 4 }, () => pooled.join(words)))
    t.is(Client.stats(pooled).connects, 4, 'calls need no others')
    await Client.warmUp(pooled, { connections: 5 })
    t.is(Client.stats(pooled).connects, 5, 'those that are there count')

    await using multiplexed = builder(server.address).runtime(kind).multiplexed({ connections: 3 }).build()
    await Client.warmUp(multiplexed)
    t.is(Client.stats(multiplexed).connections, 3)
    t.is(await multiplexed.join(words), 'ab')
    t.is(Client.stats(multiplexed).connects, 3)
  })

  test(`${kind}: with TLS they have shaken hands`, async (t) => {
    const tls = { cert: pem('server.pem'), key: pem('server.key') }
    await using server = await Server.of(Items, impl).tls(tls).listen('127.0.0.1:0')
    const make = builder(server.address).runtime(kind).connectTimeout('10s')
    await using client = make.tls({ ca: pem('ca.pem') }).build()
    await Client.warmUp(client, { connections: 2 })
    t.like(Client.stats(client), { connections: 2, connects: 2, connectFailures: 0 })
    // A server that accepts and never shakes hands does not count as warm.
    const sockets: Socket[] = []
    const mute = createServer((socket) => sockets.push(socket.resume()))
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve))
    const { port } = mute.address() as { port: number }
    await using cold = builder(`127.0.0.1:${port}`)
      .runtime(kind)
      .connectTimeout('200ms')
      .tls({ ca: pem('ca.pem') })
      .build()
    const error = await t.throwsAsync(Client.warmUp(cold), { instanceOf: TransportError })
    t.like(error, { code: 'UNAVAILABLE', sent: 'no' })
    for (const socket of sockets) socket.destroy()
    mute.close()
  })

  test(`${kind}: what cannot be connected is an error, or not, as one likes`, async (t) => {
    const address = await nowhere()
    await using server = await serve()
    await using client = builder(address).runtime(kind).build()
    const error = await t.throwsAsync(Client.warmUp(client, { connections: 2 }), { instanceOf: TransportError })
    t.like(error, { code: 'UNAVAILABLE', sent: 'no' })
    t.regex(error.message, /^the client of 'items' could not be warmed up for 127\.0\.0\.1:\d+: cannot connect/)
    await t.notThrowsAsync(Client.warmUp(client, { connections: 2, errors: 'ignore' }))
    // What can be made is made all the same.
    await t.throwsAsync(Client.warmUp(client, { addresses: [address, server.address] }), { instanceOf: TransportError })
    await hasAccepted(t, server, 1)
    t.is(await client.join(words, { address: server.address }), 'ab')
    t.is(server.stats().accepted, 1)
  })
}

test.serial('warnings say what could not be connected', async (t) => {
  const warn = console.warn
  const lines: string[] = []
  console.warn = (line: string) => void lines.push(line)
  try {
    await using client = builder(await nowhere()).build()
    await Client.warmUp(client, { connections: 2, errors: 'warn' })
  } finally {
    console.warn = warn
  }
  t.is(lines.length, 2)
  t.regex(lines[0], /^volo: the client of 'items' could not be warmed up for /)
})

test('several addresses are warmed up, names looked up', async (t) => {
  await using first = await serve()
  await using second = await serve()
  await using client = builder(`localhost:${first.address.split(':').pop()}`)
    .pool({ size: 8 })
    .build()
  const outcome = Client.warmUp(client, { connections: 3, addresses: [second.address, first.address] })
  await t.notThrowsAsync(outcome)
  await hasAccepted(t, second, 3)
  await hasAccepted(t, first, 3)
})

test('calls and a warm-up at once share what is made', async (t) => {
  await using server = await serve()
  await using client = builder(server.address).pipelined().build()
  const answers = [client.join(words), Client.warmUp(client), client.join(words)]
  t.deepEqual(await Promise.all(answers), ['ab', undefined, 'ab'])
  t.is(server.stats().accepted, 1)
})

test('in memory there is something to connect, too', async (t) => {
  await using _ = await Server.of(Items, impl).listen('memory:warm')
  await using client = builder('memory:warm').pool({ size: 2 }).build()
  await Client.warmUp(client, { connections: 2 })
  t.like(Client.stats(client), { connections: 2, idle: 2 })
  t.is(await client.join(words), 'ab')
  t.is(Client.stats(client).connects, 2)
  await using nobody = builder('memory:nobody').build()
  await t.throwsAsync(Client.warmUp(nobody), { instanceOf: TransportError, message: /memory:nobody/ })
})

test('what cannot be asked for is refused', async (t) => {
  await using server = await serve()
  await using client = builder(server.address).pool({ size: 2 }).build()
  for (const connections of [0, -1, 1.5, 3, Number.NaN]) {
    const error = await t.throwsAsync(Client.warmUp(client, { connections }), { instanceOf: VoloError })
    t.is(error.code, 'INVALID_ARGUMENT')
    t.regex(error.message, /from 1 to 2/)
  }
  const closed = builder(server.address).build()
  await Client.close(closed)
  t.is((await t.throwsAsync(Client.warmUp(closed), { instanceOf: TransportError })).code, 'UNAVAILABLE')

  const { ItemService } = await loadProto('examples/item.proto')
  await using grpc = Client.of(ItemService, 'items').address(server.address).build()
  t.is((await t.throwsAsync(Client.warmUp(grpc), { instanceOf: VoloError })).code, 'FAILED_PRECONDITION')
  t.is(server.stats().accepted, 0)
})

test('a client that is closed meanwhile tells those who wait', async (t) => {
  const sockets: Socket[] = []
  const mute = createServer((socket) => sockets.push(socket.resume()))
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve))
  const { port } = mute.address() as { port: number }
  const client = builder(`127.0.0.1:${port}`)
    .connectTimeout('30s')
    .tls({ ca: pem('ca.pem') })
    .build()
  const waiting = t.throwsAsync(Client.warmUp(client), { instanceOf: TransportError })
  await Client.close(client, { grace: '100ms' })
  t.regex((await waiting).message, /closed/)
  for (const socket of sockets) socket.destroy()
  mute.close()
})
