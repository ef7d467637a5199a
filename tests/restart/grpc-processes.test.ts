/** Servers of gRPC come and go as processes: no call is lost where they say so, and no client is stuck where they do not. */
import { setTimeout as sleep } from 'node:timers/promises'

import test, { type ExecutionContext } from 'ava'
import { Client, TransportError, type ClientOptions } from 'volo-js/grpc'

import { ItemService } from '../../examples/volo-gen/grpc/index.js'
import { start, type Running } from '../isolates/processes.js'
import { programOf } from './server.js'

const runtimes = ['inline', 'tokio', 'monoio'] as const
type Runtime = (typeof runtimes)[number]

const quick: ClientOptions = { backoff: { initial: '50ms', max: '200ms' } }

const serve = (runtime: Runtime, address = '127.0.0.1:0'): Promise<Running> =>
  start(programOf('grpc-processes'), [address], { VOLO_RUNTIME: runtime })

function clientOf(t: ExecutionContext, address: string, runtime: Runtime, options: ClientOptions = {}) {
  const client = Client.of(ItemService, 'item')
    .address(address)
    .runtime(runtime)
    .options({ ...quick, ...options })
    .build()
  t.teardown(() => Client.close(client, { grace: 0 }))
  return client
}

for (const runtime of runtimes) {
  test(`servers that end in order lose no call, on ${runtime}`, async (t) => {
    let current = await serve(runtime)
    const { address } = current
    const clients = Array.from({ length: 4 }, () => clientOf(t, address, runtime))
    const seen = new Set<string>()
    let isOver = false
    let calls = 0
    const load = Promise.all(
      clients.flatMap((client) =>
        Array.from({ length: 4 }, async () => {
          while (!isOver) {
            const { item } = await client.getItem({ id: 1n }, { waitForReady: true, timeout: '20s' })
            seen.add(item?.title ?? '')
            let next = 0n
            for await (const { id } of client.streamItems({ id: 5n }, { waitForReady: true, timeout: '20s' })) {
              if (id !== next++) t.fail(`${id} comes after ${next}`)
            }
            if (next !== 5n) t.fail(`a stream ended after ${next}`)
            calls += 1
          }
        }),
      ),
    )
    for (let n = 0; n < 4; n += 1) {
      await sleep(300)
      const next = await serve(runtime, address)
      current.kill('SIGTERM')
      const { code, lines } = await current.ended
      t.is(code, 0)
      t.is(lines.at(-1), 'ended')
      current = next
    }
    await sleep(300)
    isOver = true
    await t.notThrowsAsync(load)
    current.kill('SIGTERM')
    await current.ended
    t.true(calls > 50, `${calls}`)
    t.is(seen.size, 5, 'every process has answered')
    t.is(
      clients.reduce((sum, client) => sum + Client.stats(client).failed, 0),
      0,
    )
  })

  test(`a server that is killed and comes back is found again, on ${runtime}`, async (t) => {
    let server = await serve(runtime)
    const { address } = server
    const client = clientOf(t, address, runtime, { connections: 2 })
    for (let n = 1n; n <= 4n; n += 1n) {
      t.is((await client.getItem({ id: n }, { waitForReady: true, timeout: '10s' })).item?.id, n)
      const stream = client.streamItems({ id: 1000n })[Symbol.asyncIterator]()
      await stream.next()
      const lost = [
        client.getItem({ id: 0n }),
        client.getItem({ id: 0n }),
        (async () => {
          while ((await stream.next()).done !== true);
        })(),
      ]
      // They are on their way.
      await sleep(100)
      server.kill('SIGKILL')
      for (const call of lost)
        t.like(await t.throwsAsync(call, { instanceOf: TransportError }), { code: 'UNAVAILABLE' })
      await server.ended
      // While nobody listens calls fail, and those that wait go on.
      t.like(await t.throwsAsync(client.getItem({ id: n }), { instanceOf: TransportError }), { sent: 'no' })
      const patient = client.getItem({ id: n }, { waitForReady: true, timeout: '20s' })
      server = await serve(runtime, address)
      t.is((await patient).item?.title, server.pid)
    }
    server.kill('SIGTERM')
    t.is((await server.ended).code, 0)
  })

  test(`a server that stands still is left, and found when it goes on, on ${runtime}`, async (t) => {
    const server = await serve(runtime)
    const client = clientOf(t, server.address, runtime, { keepalive: { interval: '1s', timeout: '500ms' } })
    await client.getItem({ id: 1n })
    const call = client.getItem({ id: 0n })
    await sleep(100)
    server.kill('SIGSTOP')
    const since = Date.now()
    t.like(await t.throwsAsync(call, { instanceOf: TransportError }), { code: 'UNAVAILABLE', sent: 'maybe' })
    t.true(Date.now() - since < 8000)
    const patient = client.getItem({ id: 2n }, { waitForReady: true, timeout: '20s' })
    await sleep(1500)
    server.kill('SIGCONT')
    t.is((await patient).item?.id, 2n)
    server.kill('SIGTERM')
    t.is((await server.ended).code, 0)
  })
}
