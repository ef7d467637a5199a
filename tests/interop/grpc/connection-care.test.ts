/** How connections are looked after, with grpc-go at the other end. */
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import test, { type ExecutionContext } from 'ava'
import { Client, Server, TransportError, type ClientOptions, type Handlers } from 'volo-js/grpc'

import { ItemService } from '../../../examples/volo-gen/grpc/index.js'
import { ghz, goItemServer, goKeepaliveClient } from './peers.js'

const examples = fileURLToPath(new URL('../../../examples', import.meta.url))

const items: Handlers<typeof ItemService> = {
  getItem: ({ id }) => ({ item: { id } }),
  async *streamItems() {
    // Answers nothing.
  },
  clientStream: () => ({}),
  async *bidirectionalStream() {
    // Answers nothing.
  },
}

function clientOf(t: ExecutionContext, address: string, options: ClientOptions = {}) {
  const client = Client.of(ItemService, 'item').address(address).options(options).build()
  t.teardown(() => Client.close(client, { grace: 0 }))
  return client
}

test('grpc-go objects to PINGs that come too often, and takes those of the next connection', async (t) => {
  const server = await goItemServer('--min-ping-interval', '1500ms', '--pings-without-calls')
  t.teardown(() => server.stop())
  const client = clientOf(t, server.address, { keepalive: { interval: '1s', withoutCalls: true } })
  const states: string[] = []
  Client.watchState(client, (state) => states.push(state))
  await client.getItem({ id: 1n })
  for (let n = 0; n < 200 && states.at(-1) !== 'IDLE'; n += 1) await sleep(100)
  t.deepEqual(states, ['CONNECTING', 'READY', 'IDLE'])
  await client.getItem({ id: 1n })
  await sleep(9000)
  t.deepEqual(states.slice(3), ['CONNECTING', 'READY'], 'every two seconds is not too often')
})

test('connections that grpc-go ends for their age lose no call', async (t) => {
  const server = await goItemServer('--max-connection-age', '300ms', '--max-connection-age-grace', '5s')
  t.teardown(() => server.stop())
  const client = clientOf(t, server.address)
  const end = Date.now() + 4000
  let calls = 0
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      while (Date.now() < end) {
        await client.getItem({ id: 1n })
        let count = 0
        for await (const _ of client.streamItems({ id: 1n })) count += 1
        t.is(count, 10)
        calls += 1
      }
    }),
  )
  const { failed, connects } = Client.stats(client)
  t.is(failed, 0)
  t.true(connects >= 5, `${connects} connections for ${calls} calls`)
})

test('a server of grpc-go that stops in order loses no call', async (t) => {
  const first = await goItemServer('--graceful')
  const client = clientOf(t, first.address, { backoff: { initial: '50ms', max: '100ms' } })
  let isOver = false
  const load = Promise.all(
    Array.from({ length: 8 }, async () => {
      while (!isOver) await client.getItem({ id: 1n }, { waitForReady: true, timeout: '20s' })
    }),
  )
  await sleep(500)
  t.is(await first.stop(), 0)
  const second = await goItemServer('--port', String(first.port))
  t.teardown(() => second.stop())
  await sleep(500)
  isOver = true
  await t.notThrowsAsync(load)
  t.is(Client.stats(client).failed, 0)
})

test('a server of grpc-go that is stopped at once is found when it is back', async (t) => {
  const first = await goItemServer()
  const client = clientOf(t, first.address, { backoff: { initial: '50ms', max: '100ms' } })
  await client.getItem({ id: 1n })
  await first.stop()
  await t.throwsAsync(client.getItem({ id: 1n }), { instanceOf: TransportError })
  const patient = client.getItem({ id: 2n }, { waitForReady: true, timeout: '20s' })
  const second = await goItemServer('--port', String(first.port))
  t.teardown(() => second.stop())
  t.is((await patient).item?.id, 2n)
})

test('connections of grpc-go that are told to go for their age lose no call', async (t) => {
  const server = await Server.of(ItemService, items)
    .options({ maxConnectionAge: '300ms', maxConnectionAgeGrace: '5s' })
    .listen('127.0.0.1:0')
  t.teardown(() => server.close({ grace: 0 }))
  const { code, output, stdout } = await ghz(
    ...['--insecure', '--import-paths', examples, '--proto', `${examples}/item.proto`],
    ...['--call', 'volo.example.ItemService.GetItem', '--data', '{"id": 1}', '--format', 'json'],
    ...['--total', '3000', '--rps', '1000', '--concurrency', '10', '--connections', '4', server.address],
  )
  t.is(code, 0, output)
  const { statusCodeDistribution } = JSON.parse(stdout) as { readonly statusCodeDistribution: { readonly OK?: number } }
  // ghz counts attempts: one that came too late for its connection and was made again stands beside it.
  t.is(statusCodeDistribution.OK, 3000, stdout)
  t.true(server.stats().accepted >= 16, `${server.stats().accepted} connections`)
})

test('PINGs of grpc-go without a call are taken where they are allowed', async (t) => {
  t.timeout(120_000)
  const seen = async (options: object): Promise<string[]> => {
    const server = await Server.of(ItemService, items)
      .options({ onEvent: () => undefined, ...options })
      .listen('127.0.0.1:0')
    t.teardown(() => server.close({ grace: 0 }))
    const { code, output, stdout } = await goKeepaliveClient(server.address.replace(/.*:/, ''), '45s')
    t.is(code, 0, output)
    return stdout.trim().split('\n')
  }
  const [allowed, refused] = await Promise.all([
    seen({ minPingInterval: '5s', pingsWithoutCalls: true }),
    // As grpc-go's own server does it: the fourth PING is one too many.
    seen({}),
  ])
  t.deepEqual(allowed, ['READY'])
  t.deepEqual(refused, ['READY', 'IDLE'])
})
