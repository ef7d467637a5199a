/** Connections of gRPC: how many there are, where they lead, when they end. */
import { once } from 'node:events'
import { createServer as createHttp2Server } from 'node:http2'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'

import test, { type ExecutionContext } from 'ava'

import type { Address } from '../core/address.js'
import { Client, type ClientBuilder } from '../core/client.js'
import type { GrpcContext } from '../core/context.js'
import type { ServiceDescriptor } from '../core/descriptor.js'
import { Server } from '../core/server.js'
import type { ServerHandle } from '../core/server-handle.js'
import type { ServerOptions } from '../core/server-options.js'
import { all, handlers, ItemService, type ItemClient } from './items.test.helper.js'

async function serve(
  t: ExecutionContext,
  impl: Parameters<typeof handlers>[0] = {},
  options: ServerOptions = {},
  address: Address = '127.0.0.1:0',
): Promise<ServerHandle> {
  const handle = await new Server().add(ItemService, handlers(impl)).options(options).listen(address)
  t.teardown(() => handle.close({ grace: '100ms' }))
  return handle
}

type Builder = ClientBuilder<ServiceDescriptor, GrpcContext>

function call(t: ExecutionContext, address: Address, with_: (builder: Builder) => Builder = (it) => it): ItemClient {
  const client = with_(Client.of(ItemService, 'items').address(address) as unknown as Builder).build()
  t.teardown(() => Client.close(client, { grace: '100ms' }))
  return client as unknown as ItemClient
}

/** Waits until something holds. */
async function until(t: ExecutionContext, holds: () => boolean, what: string): Promise<void> {
  for (const end = performance.now() + 40_000; !holds(); await sleep(20)) {
    if (performance.now() > end) return t.fail(`after forty seconds: ${what}`)
  }
  t.pass()
}

/** A port where nobody listens. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

test('a call that waits for a connection is made when there is one', async (t) => {
  const address = `127.0.0.1:${await freePort()}`
  const client = call(t, address)
  await t.throwsAsync(client.getItem({}), { code: 'UNAVAILABLE' })
  await t.throwsAsync(client.getItem({}, { waitForReady: true, timeout: 100 }), { code: 'DEADLINE_EXCEEDED' })
  const waiting = [
    client.getItem({ id: 1n }, { waitForReady: true, timeout: '20s' }),
    all(client.streamItems({ id: 1n }, { waitForReady: true, timeout: '20s' })),
  ] as const
  await sleep(50)
  await serve(t, {}, {}, address)
  const [one, many] = await Promise.all(waiting)
  t.is(one.item?.id, 1n)
  t.is(many.length, 10)
})

test('calls are spread over as many connections as are wanted', async (t) => {
  for (const connections of [undefined, 3]) {
    const wanted = connections ?? 1
    const peers = new Set<string>()
    let begun = 0
    let let_!: () => void
    const held = new Promise<void>((resolve) => (let_ = resolve))
    const handle = await serve(t, {
      async getItem(_: unknown, cx) {
        peers.add(cx.peer.address)
        begun += 1
        await held
        return {}
      },
    })
    const client = call(t, handle.address, (it) => it.options(connections === undefined ? {} : { connections }))
    const calls = Array.from({ length: 12 }, () => client.getItem({}))
    await until(t, () => begun === calls.length, `only ${begun} calls are there`)
    // Threads tell their counters when they have time.
    await until(t, () => handle.stats().connections === wanted, 'the server has other connections')
    await until(t, () => Client.stats(client).connections === wanted, 'the client has other connections')
    // One that was made last may have come too late for the first calls.
    calls.push(...Array.from({ length: 12 }, () => client.getItem({})))
    await until(t, () => begun === calls.length, `only ${begun} calls are there`)
    t.is(peers.size, wanted)
    let_()
    await Promise.all(calls)
  }
})

const onUnix = process.platform === 'win32' ? test.skip : test

onUnix('calls go over Unix sockets', async (t) => {
  const address = `unix:${join(tmpdir(), `volo-grpc-${process.pid}.sock`)}`
  await serve(t, {}, {}, address)
  const client = call(t, address)
  t.is((await client.getItem({ id: 3n })).item?.id, 3n)
  t.is((await all(client.bidirectionalStream([{ id: 1n }, { id: 2n }]))).length, 2)
})

test('a client says whom it calls', async (t) => {
  const authorities: (string | undefined)[] = []
  const server = createHttp2Server()
  server.on('stream', (stream, headers) => {
    authorities.push(headers[':authority'])
    stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '5' }, { endStream: true })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`
  await t.throwsAsync(call(t, address).getItem({}), { code: 'NOT_FOUND' })
  const named = call(t, address, (it) => it.options({ authority: 'items.example' }))
  await t.throwsAsync(named.getItem({}), { code: 'NOT_FOUND' })
  t.deepEqual(authorities, [address, 'items.example'])
})

test('an idle connection is closed, by either side, and made again when it is wanted', async (t) => {
  const idleTimeout = '100ms' as const
  const sides = [
    { server: {}, client: { idleTimeout } },
    { server: { idleTimeout }, client: {} },
  ]
  for (const side of sides) {
    const handle = await serve(t, {}, side.server)
    const client = call(t, handle.address, (it) => it.pool(side.client))
    for (let round = 1; round <= 2; round += 1) {
      t.is((await client.getItem({ id: 1n })).item?.id, 1n)
      t.is(handle.stats().accepted, round)
      await until(t, () => handle.stats().connections === 0, 'the connection is still there')
      await until(t, () => Client.stats(client).connections === 0, 'the client still has it')
    }
  }
})

test('a connection of some age takes no new calls, and loses none of those it has', async (t) => {
  let finish!: () => void
  const finished = new Promise<void>((resolve) => (finish = resolve))
  const handle = await serve(t, {
    async *streamItems() {
      yield { id: 0n }
      await finished
      yield { id: 1n }
    },
  })
  const client = call(t, handle.address, (it) => it.pool({ maxLifetime: '100ms' }))
  const stream = client.streamItems({})[Symbol.asyncIterator]()
  t.like(await stream.next(), { done: false })
  await sleep(200)
  t.is((await client.getItem({ id: 1n })).item?.id, 1n)
  t.is(handle.stats().accepted, 2)
  finish()
  t.like(await stream.next(), { done: false })
  t.like(await stream.next(), { done: true })
  await until(t, () => handle.stats().connections === 0, 'the connections are still there')
})
