/** What peers of gRPC are told of each other's limits, and what becomes of who goes beyond them. */
import { connect, type Settings } from 'node:http2'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

import test, { type ExecutionContext } from 'ava'

import { Client } from '../core/client.js'
import type { ClientOptions } from '../core/client-options.js'
import { Server } from '../core/server.js'
import type { ServerHandle } from '../core/server-handle.js'
import type { ServerOptions } from '../core/server-options.js'
import { all, handlers, ItemService, type ItemClient } from './items.test.helper.js'

async function serve(
  t: ExecutionContext,
  impl: Parameters<typeof handlers>[0],
  options: ServerOptions,
): Promise<ServerHandle> {
  const handle = await new Server().add(ItemService, handlers(impl)).options(options).listen('127.0.0.1:0')
  t.teardown(() => handle.close({ grace: '100ms' }))
  return handle
}

function call(t: ExecutionContext, address: string, options: ClientOptions = {}): ItemClient {
  const client = Client.of(ItemService, 'items').address(address).options(options).build()
  t.teardown(() => Client.close(client, { grace: '100ms' }))
  return client as unknown as ItemClient
}

test('what a server allows stands in its settings', async (t) => {
  const { address } = await serve(
    t,
    {},
    { maxConcurrentStreams: 7, maxHeaderListSize: '3KiB', streamWindow: '128KiB', connectionWindow: '1MiB' },
  )
  const session = connect(`http://${address}`)
  const [settings] = (await once(session, 'remoteSettings')) as [Settings]
  t.like(settings, { maxConcurrentStreams: 7, maxHeaderListSize: 3072, initialWindowSize: 128 * 1024 })
  for (let tries = 0; session.state.remoteWindowSize !== 1024 * 1024 && tries < 100; tries += 1) await sleep(10)
  t.is(session.state.remoteWindowSize, 1024 * 1024)
  session.close()
})

test('calls beyond the streams of a connection wait their turn', async (t) => {
  let [now, most] = [0, 0]
  const { address } = await serve(
    t,
    {
      async getItem() {
        now += 1
        most = Math.max(most, now)
        await sleep(20)
        now -= 1
        return {}
      },
    },
    { maxConcurrentStreams: 2 },
  )
  const client = call(t, address)
  await client.getItem({})
  await Promise.all(Array.from({ length: 9 }, () => client.getItem({})))
  t.is(most, 2)
})

test('messages larger than every window pass', async (t) => {
  const windows = { streamWindow: '64KiB', connectionWindow: '64KiB' } as const
  const { address } = await serve(t, {}, windows)
  const client = call(t, address, windows)
  const title = 'x'.repeat(1 << 20)
  const items = await all(client.bidirectionalStream([{ title }, { title }, { title }]))
  t.deepEqual(
    items.map((item) => item.title.length),
    [title.length, title.length, title.length],
  )
})

test('metadata beyond the limit end their call, and no other', async (t) => {
  const { address } = await serve(
    t,
    {
      getItem: (_: unknown, cx) => {
        cx.response.headers.set('x-large', 'y'.repeat(Number(cx.metadata.get('x-wanted') ?? 0)))
        return {}
      },
    },
    { maxHeaderListSize: '2KiB' },
  )
  const client = call(t, address, { maxHeaderListSize: '2KiB' })
  await client.getItem({})
  await t.throwsAsync(client.getItem({}, { metadata: { 'x-large': 'y'.repeat(4096) } }), {
    code: 'RESOURCE_EXHAUSTED',
    message: /the server takes 2048/,
  })
  await t.throwsAsync(client.getItem({}, { metadata: { 'x-wanted': '4096' } }), { code: 'INTERNAL' })
  await client.getItem({}, { metadata: { 'x-large': 'y'.repeat(1024), 'x-wanted': '1024' } })
})
