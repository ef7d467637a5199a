/** How connections are looked after: who is gone is noticed, who is old or idle is told to go, who asks too often is sent away. */
import { once } from 'node:events'
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import test, { type ExecutionContext } from 'ava'

import { Client } from '../core/client.js'
import type { ClientOptions } from '../core/client-options.js'
import type { ConnectivityState } from '../core/connectivity.js'
import { TransportError, VoloError } from '../core/errors.js'
import { Server } from '../core/server.js'
import type { ServerHandle } from '../core/server-handle.js'
import type { ServerOptions } from '../core/server-options.js'
import { loadProto } from './load.js'

const { ItemService } = await loadProto(fileURLToPath(new URL('../../examples/item.proto', import.meta.url)))

interface ItemClient {
  getItem(request: object, options?: object): Promise<{ item?: { id: bigint } }>
  streamItems(request: object, options?: object): AsyncIterable<{ id: bigint }>
}

interface Serving {
  readonly handle: ServerHandle
  readonly events: string[]
}

async function serve(t: ExecutionContext, options: ServerOptions, address = '127.0.0.1:0'): Promise<Serving> {
  const events: string[] = []
  const impl = {
    getItem: async ({ id }: { id: bigint }) => {
      // Request 0 is never answered.
      if (id === 0n) await new Promise(() => undefined)
      await sleep(Number(id))
      return { item: { id } }
    },
    async *streamItems({ id }: { id: bigint }) {
      for (let n = 0n; n < id; n += 1n) {
        yield { id: n }
        await sleep(20)
      }
    },
    clientStream: () => ({}),
    async *bidirectionalStream() {
      // Answers nothing.
    },
  }
  const handle = await Server.of(ItemService, impl as never)
    .options({ onEvent: ({ text }) => events.push(text), ...options })
    .listen(address)
  t.teardown(() => handle.close({ grace: 0 }))
  return { handle, events }
}

function clientOf(t: ExecutionContext, address: string, options: ClientOptions = {}): ItemClient {
  const client = Client.of(ItemService, 'items').address(address).options(options).build()
  t.teardown(() => Client.close(client, { grace: 0 }))
  return client as unknown as ItemClient
}

/** Passes bytes on to a server until it is frozen: then both ends hear nothing, as if a cable had been cut. */
async function cable(t: ExecutionContext, address: string): Promise<{ readonly address: string; cut: () => void }> {
  const sockets: Socket[] = []
  let isCut = false
  const server = createServer((near) => {
    const far = connect(Number(/\d+$/.exec(address)?.[0]), '127.0.0.1')
    sockets.push(near, far)
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('data', (bytes) => isCut || to.write(bytes)).on('error', () => undefined)
      from.on('close', () => isCut || to.destroy())
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, cut: () => void (isCut = true) }
}

async function until(what: string, isSo: () => boolean, patience = 15_000): Promise<void> {
  const end = Date.now() + patience
  while (!isSo()) {
    if (Date.now() > end) throw new Error(`not so in ${patience} ms: ${what}`)
    await sleep(10)
  }
}

test('a server that is gone without a word fails the calls it has', async (t) => {
  const { handle } = await serve(t, {})
  const line = await cable(t, handle.address)
  const client = clientOf(t, line.address, { keepalive: { interval: '1s', timeout: '500ms' } })
  await client.getItem({ id: 1n })
  const call = client.getItem({ id: 0n })
  // It answers PINGs, so it may take its time.
  await sleep(2500)
  const since = Date.now()
  line.cut()
  const error = await t.throwsAsync(call, { instanceOf: TransportError })
  t.like(error, { code: 'UNAVAILABLE', sent: 'maybe' })
  t.regex(String(error), /keepalive/)
  t.true(Date.now() - since < 6000)
})

test('a client that is gone without a word gives its connection back', async (t) => {
  const { handle } = await serve(t, { keepalive: { interval: '1s', timeout: '500ms' } })
  const line = await cable(t, handle.address)
  const client = clientOf(t, line.address)
  await client.getItem({ id: 1n })
  await sleep(2500)
  t.is(handle.stats().connections, 1, 'it answers PINGs')
  line.cut()
  await until('the connection is closed', () => handle.stats().connections === 0)
})

test('a client that sends PINGs too often is sent away, and sends fewer', async (t) => {
  const { handle, events } = await serve(t, { minPingInterval: '1500ms', pingsWithoutCalls: true })
  const client = clientOf(t, handle.address, { keepalive: { interval: '1s', withoutCalls: true } })
  const states: ConnectivityState[] = []
  Client.watchState(client, (state) => states.push(state))
  await client.getItem({ id: 1n })
  await until('it was sent away', () => states.includes('IDLE'))
  t.deepEqual(states, ['CONNECTING', 'READY', 'IDLE'])
  t.regex(events.join(), /too_many_pings/)
  await client.getItem({ id: 1n })
  // Every two seconds is not too often.
  await sleep(7000)
  t.is(Client.state(client), 'READY')
  t.is(handle.stats().accepted, 2)
})

test('PINGs without a call need leave', async (t) => {
  const { handle } = await serve(t, { minPingInterval: '100ms' })
  const client = clientOf(t, handle.address, { keepalive: { interval: '1s', withoutCalls: true } })
  await client.getItem({ id: 1n })
  await until('it was sent away', () => Client.state(client) === 'IDLE')
  t.is(handle.stats().protocolErrors, 1)
})

test('what a server says when it sends a client away reaches the calls', async (t) => {
  const { handle } = await serve(t, { minPingInterval: '1h' })
  const client = clientOf(t, handle.address, { keepalive: { interval: '1s' } })
  const error = await t.throwsAsync(client.getItem({ id: 0n }), { instanceOf: TransportError })
  t.regex(String(error), /ENHANCE_YOUR_CALM, too_many_pings/)
})

test('old connections go, and no call is lost with them', async (t) => {
  const { handle } = await serve(t, { maxConnectionAge: '300ms', maxConnectionAgeGrace: '5s' })
  const client = clientOf(t, handle.address)
  const end = Date.now() + 3000
  let calls = 0
  await Promise.all(
    Array.from({ length: 16 }, async (_, n) => {
      while (Date.now() < end) {
        t.is((await client.getItem({ id: BigInt(n + 1) })).item?.id, BigInt(n + 1))
        calls += 1
        let next = 0n
        for await (const { id } of client.streamItems({ id: 3n })) t.is(id, next++)
        t.is(next, 3n)
      }
    }),
  )
  t.true(handle.stats().accepted >= 4, `${handle.stats().accepted} connections`)
  t.is(Client.stats(client).failed, 0)
  t.true(calls > 100)
})

test('calls that outlast the grace time of an old connection end', async (t) => {
  const { handle } = await serve(t, { maxConnectionAge: '200ms', maxConnectionAgeGrace: '300ms' })
  const client = clientOf(t, handle.address)
  const error = await t.throwsAsync(client.getItem({ id: 0n }), { instanceOf: TransportError })
  t.like(error, { code: 'UNAVAILABLE', sent: 'maybe' })
})

test('an idle connection is told to go', async (t) => {
  const { handle } = await serve(t, { idleTimeout: '300ms' })
  const client = clientOf(t, handle.address)
  for (let n = 0; n < 3; n += 1) {
    await client.getItem({ id: 400n })
    await until('it is gone', () => Client.state(client) === 'IDLE')
  }
  t.is(handle.stats().idleTimeouts, 3)
  t.is(Client.stats(client).connects, 3)
  t.is(Client.stats(client).failed, 0)
})

test('a client lets idle connections go, and old ones', async (t) => {
  const { handle } = await serve(t, {})
  const client = Client.of(ItemService, 'items')
    .address(handle.address)
    .pool({ idleTimeout: '300ms', maxLifetime: '1s' })
    .build()
  t.teardown(() => Client.close(client, { grace: 0 }))
  const items = client as unknown as ItemClient
  await items.getItem({ id: 1n })
  await until('it is gone', () => handle.stats().connections === 0)
  const end = Date.now() + 2500
  while (Date.now() < end) await items.getItem({ id: 10n })
  t.true(Client.stats(client).connects >= 3)
  t.is(Client.stats(client).failed, 0)
})

/** A session that takes part in HTTP/2 and nothing else, until the server ends it. */
async function ending(
  t: ExecutionContext,
  address: string,
  use: (session: ClientHttp2Session) => void,
): Promise<string> {
  const session = connectHttp2(`http://${address}`)
  t.teardown(() => session.destroy())
  const said: string[] = []
  session.on('error', () => undefined)
  session.on('goaway', (code, _last, data?: Buffer) => said.push(`${code} ${data?.toString() ?? ''}`))
  await once(session, 'connect')
  const closed = new Promise((resolve) => session.once('close', resolve))
  use(session)
  await closed
  return said.join()
}

test('more control frames and resets than are allowed end a connection', async (t) => {
  const { handle } = await serve(t, { maxControlFrames: 5, maxResets: 5 })
  const settings = (session: ClientHttp2Session): void => {
    for (let n = 0; n < 8; n += 1) session.settings({ initialWindowSize: 70_000 + n })
  }
  t.is(await ending(t, handle.address, settings), '11 too_many_settings')
  const resets = (session: ClientHttp2Session): void => {
    for (let n = 0; n < 8; n += 1) {
      const stream = session.request({
        ':method': 'POST',
        ':path': '/volo.example.ItemService/GetItem',
        'content-type': 'application/grpc',
      })
      stream.on('error', () => undefined)
      // Once it has left: what is reset before never does.
      setTimeout(() => stream.close(8), 50)
    }
  }
  t.is(await ending(t, handle.address, resets), '11 too_many_resets')
})

test('options that make no sense are refused', async (t) => {
  const refused = (options: ClientOptions): void => {
    const error = t.throws(() => Client.of(ItemService, 'items').address(':1').options(options).build(), {
      instanceOf: VoloError,
    })
    t.is(error.code, 'INVALID_ARGUMENT')
  }
  refused({ keepalive: { interval: '500ms' } })
  refused({ keepalive: { interval: -1 } })
  refused({ keepalive: { interval: '5s', timeout: 'soon' as never } })
  refused({ backoff: { multiplier: 0.5 } })
  refused({ backoff: { jitter: 2 } })
  refused({ backoff: { initial: Number.NaN } })
  for (const options of [{ maxResets: -1 }, { maxControlFrames: Number.NaN }, { maxConnectionAge: -1 }]) {
    const error = await t.throwsAsync(serve(t, options), { instanceOf: VoloError })
    t.is(error?.code, 'INVALID_ARGUMENT')
  }
})
