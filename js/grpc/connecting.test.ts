/** How clients of gRPC find their server, and find it again. */
import dns from 'node:dns/promises'
import { once } from 'node:events'
import { createServer as createHttp2Server } from 'node:http2'
import { syncBuiltinESMExports } from 'node:module'
import { connect, createServer, type AddressInfo } from 'node:net'
import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import test, { type ExecutionContext } from 'ava'

import { Client } from '../core/client.js'
import type { ClientOptions } from '../core/client-options.js'
import type { ConnectivityState } from '../core/connectivity.js'
import { TransportError, VoloError } from '../core/errors.js'
import type { GrpcContext } from '../core/context.js'
import { Server } from '../core/server.js'
import type { ServerHandle } from '../core/server-handle.js'
import { loadThrift } from '../schema/load.js'
import { GrpcError } from './grpc-error.js'
import { loadProto } from './load.js'

const example = (name: string): string => fileURLToPath(new URL(`../../examples/${name}`, import.meta.url))
const { ItemService } = await loadProto(example('item.proto'))
const { ItemService: ItemThrift } = await loadThrift(example('item.thrift'))

interface ItemClient {
  getItem(request: object, options?: object): Promise<{ item?: { id: bigint; title: string } }>
  bidirectionalStream(requests: AsyncIterable<object>, options?: object): AsyncIterable<{ title: string }>
}

type GetItem = (request: { id: bigint }, cx: GrpcContext) => unknown

const impl = (getItem: GetItem) => ({
  getItem,
  async *streamItems() {
    // Answers nothing.
  },
  clientStream: () => ({}),
  async *bidirectionalStream(items: AsyncIterable<object>) {
    yield* items
  },
})

async function serve(
  t: ExecutionContext,
  address: string,
  getItem: GetItem = ({ id }) => ({ item: { id } }),
): Promise<ServerHandle> {
  const handle = await Server.of(ItemService, impl(getItem) as never)
    .options({ onError: () => undefined })
    .listen(address)
  t.teardown(() => handle.close({ grace: 0 }))
  return handle
}

function clientOf(t: ExecutionContext, address: string, options: ClientOptions = {}): ItemClient {
  const client = Client.of(ItemService, 'items').address(address).options(options).build()
  t.teardown(() => Client.close(client, { grace: 0 }))
  return client as unknown as ItemClient
}

/** A port where nobody listens. */
async function freePort(host = '127.0.0.1'): Promise<number> {
  const server = createServer().listen(0, host)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

const quick: ClientOptions = { backoff: { initial: '50ms', max: '100ms' } }

test('a client that waits for its server tells how it stands to it', async (t) => {
  const port = await freePort()
  const client = clientOf(t, `127.0.0.1:${port}`, quick)
  t.is(Client.state(client), 'IDLE')
  const states: ConnectivityState[] = []
  const stop = Client.watchState(client, (state) => states.push(state))
  Client.watchState(client, () => {
    throw new Error('a listener of the test fails')
  })
  await t.throwsAsync(client.getItem({ id: 1n }), { instanceOf: TransportError })
  const patient = client.getItem({ id: 2n }, { waitForReady: true })
  await sleep(400)
  t.true(['CONNECTING', 'TRANSIENT_FAILURE'].includes(Client.state(client)))
  const handle = await serve(t, `127.0.0.1:${port}`)
  t.is((await patient).item?.id, 2n)
  t.is(Client.state(client), 'READY')
  // On a slow machine the backoff is over before the second call, and nobody wants a connection for a moment.
  const wanted = states.filter((state) => state !== 'IDLE')
  t.deepEqual(wanted.slice(0, 3), ['CONNECTING', 'TRANSIENT_FAILURE', 'CONNECTING'])
  t.is(states.at(-1), 'READY')
  await handle.close()
  while (Client.state(client) !== 'IDLE') await sleep(5)
  stop()
  const known = states.length
  await Client.close(client)
  t.is(Client.state(client), 'SHUTDOWN')
  t.is(states.length, known)
})

test('the time between attempts is as it is set', async (t) => {
  const attempts = async (options: ClientOptions): Promise<number> => {
    const client = clientOf(t, `127.0.0.1:${await freePort()}`, options)
    const call = client.getItem({}, { waitForReady: true, timeout: '2s' })
    await t.throwsAsync(call, { instanceOf: VoloError, message: /2000 ms/ })
    return Client.stats(client).connects
  }
  const [often, seldom] = await Promise.all([
    attempts({ backoff: { initial: '200ms', max: '200ms', jitter: 0 } }),
    attempts({ backoff: { initial: '800ms', multiplier: 10, jitter: 0 } }),
  ])
  t.true(often >= 5 && often <= 11, `${often}`)
  t.is(seldom, 2)
})

test('a server that comes back is found at once, however often', async (t) => {
  const port = await freePort()
  const client = clientOf(t, `127.0.0.1:${port}`, quick)
  for (let n = 1n; n <= 5n; n += 1n) {
    const handle = await serve(t, `127.0.0.1:${port}`)
    t.is((await client.getItem({ id: n }, { waitForReady: true, timeout: '5s' })).item?.id, n)
    await handle.close({ grace: 0 })
    await t.throwsAsync(client.getItem({ id: n }), { instanceOf: TransportError })
  }
})

test.serial('calls that wait go along when the name stands for another address', async (t) => {
  const real = dns.lookup
  let address = '127.0.0.1'
  dns.lookup = (async (name: string) =>
    name === 'items.test' ? { address, family: 4 } : real(name)) as typeof dns.lookup
  syncBuiltinESMExports()
  t.teardown(() => {
    dns.lookup = real
    syncBuiltinESMExports()
  })
  const port = await freePort('127.0.0.2')
  const handle = await serve(t, `127.0.0.2:${port}`)
  const client = clientOf(t, `items.test:${port}`, quick)
  const patient = client.getItem({ id: 7n }, { waitForReady: true, timeout: '10s' })
  await sleep(200)
  address = '127.0.0.2'
  t.is((await patient).item?.id, 7n)
  t.is(handle.stats().accepted, 1)
})

test('the server is named as the caller names it', async (t) => {
  const server = createHttp2Server()
  const named: string[] = []
  server.on('stream', (stream, headers) => {
    named.push(headers[':authority'] ?? '')
    stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '5' }, { endStream: true })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  for (const [address, options, authority] of [
    [`localhost:${port}`, {}, `localhost:${port}`],
    [`127.0.0.1:${port}`, {}, `127.0.0.1:${port}`],
    [`127.0.0.1:${port}`, { authority: 'shop.example' }, 'shop.example'],
  ] as const) {
    const client = clientOf(t, address, options)
    await t.throwsAsync(client.getItem({}), { instanceOf: GrpcError })
    t.is(named.at(-1), authority)
    await Client.close(client)
  }
})

test('a call that was made before the client was closed is answered', async (t) => {
  const handle = await serve(t, '127.0.0.1:0')
  for (const address of [handle.address, handle.address.replace('127.0.0.1', 'localhost')]) {
    const client = clientOf(t, address)
    const call = client.getItem({ id: 3n })
    const closed = Client.close(client)
    await t.throwsAsync(client.getItem({ id: 4n }), { message: /closed/ })
    t.is((await call).item?.id, 3n)
    await closed
  }
})

test('closing a server does not wait for connections that say nothing', async (t) => {
  const handle = await serve(t, '127.0.0.1:0')
  const probe = connect(Number(/\d+$/.exec(handle.address)?.[0]), '127.0.0.1')
  await once(probe, 'connect')
  while (handle.stats().connections === 0) await sleep(5)
  const since = Date.now()
  await handle.close({ grace: '20s' })
  t.true(Date.now() - since < 5000)
  probe.destroy()
})

test('initial metadata come as soon as the handler sends them', async (t) => {
  let finish = (): void => undefined
  const told = new Promise<void>((resolve) => (finish = resolve))
  const handle = await serve(t, '127.0.0.1:0', async ({ id }, cx) => {
    cx.response.headers.set('early', 'yes')
    cx.sendHeaders()
    // Were they not told before the answer, it would never come.
    await told
    return { item: { id } }
  })
  const client = clientOf(t, handle.address)
  const onHeader = (headers: { get(name: string): string | undefined }): void => {
    t.is(headers.get('early'), 'yes')
    finish()
  }
  t.is((await client.getItem({ id: 5n }, { onHeader, timeout: '5s' })).item?.id, 5n)
})

test('a status arrives however much goes with it', async (t) => {
  const handle = await serve(t, '127.0.0.1:0', () => {
    throw new GrpcError('NOT_FOUND', 'not here', {
      details: [{ typeUrl: 'type.googleapis.com/x', value: new Uint8Array(20_000) }],
    })
  })
  const small = clientOf(t, handle.address, { maxHeaderListSize: '4KiB' })
  const cut = await t.throwsAsync(small.getItem({}), { instanceOf: GrpcError })
  t.like(cut, { code: 'NOT_FOUND', message: 'not here' })
  t.is(cut.details.length, 0)
  const large = clientOf(t, handle.address, { maxHeaderListSize: '64KiB' })
  const whole = await t.throwsAsync(large.getItem({}), { instanceOf: GrpcError })
  t.is(whole.details.length, 1)
})

test('metadata that the server does not take are refused before they are sent', async (t) => {
  const handle = await serve(t, '127.0.0.1:0')
  const client = clientOf(t, handle.address)
  const error = await t.throwsAsync(client.getItem({}, { metadata: { long: 'x'.repeat(20_000) } }), {
    instanceOf: GrpcError,
  })
  t.like(error, { code: 'RESOURCE_EXHAUSTED', sent: 'no' })
  t.is((await client.getItem({ id: 1n })).item?.id, 1n, 'the connection lives')
})

test('calls beyond what a server takes at once wait', async (t) => {
  let most = 0
  let now = 0
  const handle = await Server.of(ItemService, {
    ...impl(async ({ id }, { signal }) => {
      most = Math.max(most, (now += 1))
      let isHere = true
      const leave = (): void => {
        if (isHere) now -= 1
        isHere = false
      }
      // The place of a call that is given up is free at once.
      signal.addEventListener('abort', leave)
      await sleep(20)
      leave()
      return { item: { id } }
    }),
  } as never)
    .options({ maxConcurrentStreams: 3 })
    .listen('127.0.0.1:0')
  t.teardown(() => handle.close({ grace: 0 }))
  const client = clientOf(t, handle.address)
  // Some are given up while they wait, or are being answered.
  const calls = Array.from({ length: 40 }, (_, n) =>
    client.getItem({ id: BigInt(n) }, n % 3 === 0 ? { timeout: 10 + n } : {}).then(
      ({ item }) => item?.id === BigInt(n),
      (error: unknown) => error instanceof VoloError && error.code === 'DEADLINE_EXCEEDED',
    ),
  )
  t.true((await Promise.all(calls)).every(Boolean))
  t.true(most <= 3, `${most} at once`)
})

test('calls are spread over connections', async (t) => {
  const handle = await serve(t, '127.0.0.1:0', async ({ id }) => {
    await sleep(50)
    return { item: { id } }
  })
  const client = clientOf(t, handle.address, { connections: 4 })
  for (let round = 0; round < 2; round += 1) {
    await Promise.all(Array.from({ length: 40 }, (_, n) => client.getItem({ id: BigInt(n) })))
  }
  t.is(handle.stats().accepted, 4)
})

test('large messages pass both ways at once over a Unix socket', async (t) => {
  const handle = await serve(t, `unix:${join(tmpdir(), `volo-grpc-${randomUUID().slice(0, 13)}`)}`)
  const client = clientOf(t, handle.address)
  const title = 'x'.repeat(300_000)
  async function* items(): AsyncGenerator<object> {
    for (let n = 0; n < 40; n += 1) yield await Promise.resolve({ title })
  }
  const counts = await Promise.all(
    Array.from({ length: 4 }, async () => {
      let count = 0
      for await (const item of client.bidirectionalStream(items(), { timeout: '30s' })) {
        if (item.title === title) count += 1
      }
      return count
    }),
  )
  t.deepEqual(counts, [40, 40, 40, 40])
})

test('Thrift and gRPC share a port', async (t) => {
  const getItem = ({ id }: { id: bigint }) => ({ item: { id, title: 'of both', content: '', extra: {} } })
  const handle = await new Server()
    .add(ItemService, impl(getItem) as never)
    .add(ItemThrift, { getItem } as never)
    .listen('127.0.0.1:0')
  t.teardown(() => handle.close({ grace: 0 }))
  const grpc = clientOf(t, handle.address)
  const ofThrift = (transport: 'framed' | 'buffered'): ItemClient => {
    const client = Client.of(ItemThrift, 'items').address(handle.address).transport(transport).build()
    t.teardown(() => Client.close(client, { grace: 0 }))
    return client as unknown as ItemClient
  }
  const clients = [grpc, ofThrift('framed'), ofThrift('buffered')]
  for (let round = 0; round < 3; round += 1) {
    for (const { item } of await Promise.all(clients.map((client) => client.getItem({ id: 9n })))) {
      t.like(item, { id: 9n, title: 'of both' })
    }
  }
  t.is(handle.stats().connections, 3)
  const error = t.throws(() => Client.state(clients[1]), { instanceOf: VoloError })
  t.is(error.code, 'FAILED_PRECONDITION')
})
