import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import test from 'ava'

import { Client, Server, TransportError, type Handlers } from '../index.js'
import { Items } from './items.fixture.js'

const impl: Handlers<typeof Items> = {
  get: (id) => ({ id, title: 'ü'.repeat(Number(id)) }),
  join: ({ left, right }) => left + right,
  nothing: () => undefined,
  note: () => undefined,
}

test('addresses of every form are listened on and connected to, framed and buffered', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'volo-js-'))
  t.teardown(() => rm(folder, { recursive: true }))
  for (const address of ['127.0.0.1:0', '[::1]:0', 'localhost:0', `unix:${folder}/items.sock`, 'memory:forms']) {
    for (const transport of ['framed', 'buffered'] as const) {
      await using server = await Server.of(Items, impl).listen(address)
      await using client = Client.of(Items, 'items').address(server.address).transport(transport).build()
      t.is((await client.get(100n)).title, 'ü'.repeat(100), `${address} ${transport}`)
    }
  }
})

test('both sides count', async (t) => {
  const server = await Server.of(Items, impl).listen('127.0.0.1:0')
  const client = Client.of(Items, 'items').address(server.address).pool({ size: 2 }).build()
  t.like(Client.stats(client), { calls: 0, connections: 0 })
  await Promise.all([client.get(1n), client.get(2n), client.get(3n)])
  t.like(Client.stats(client), { calls: 3, answered: 3, connections: 2, idle: 2, connects: 2, inFlight: 0, waiting: 0 })
  t.like(server.stats(), { calls: 3, replies: 3, accepted: 2, connections: 2, inFlight: 0, exceptions: 0 })
  await Client.close(client)
  await server.close()
  t.like(server.stats(), { calls: 3, replies: 3 })
})

test('a client finds a server by name', async (t) => {
  await using server = await Server.of(Items, impl).listen('localhost:0')
  const port = server.address.replace(/.*:/, '')
  await using client = Client.of(Items, 'items').address(`localhost:${port}`).build()
  const both = await Promise.all([client.get(1n), client.get(2n)])
  t.deepEqual(
    both.map(({ id }) => id),
    [1n, 2n],
  )
})

test('a client goes on when its server comes back', async (t) => {
  const first = await Server.of(Items, impl).listen('localhost:0')
  const port = first.address.replace(/.*:/, '')
  await using client = Client.of(Items, 'items').address(`localhost:${port}`).build()
  t.is((await client.get(1n)).id, 1n)
  await first.close()
  const refused = await t.throwsAsync(client.get(2n), { instanceOf: TransportError })
  t.is(refused.code, 'UNAVAILABLE')
  t.is(refused.sent, 'no')
  await using _second = await Server.of(Items, impl).listen(`localhost:${port}`)
  t.is((await client.get(3n)).id, 3n)
})

test('a refused connection says so, and that nothing was sent', async (t) => {
  const server = await Server.of(Items, impl).listen('127.0.0.1:0')
  const { address } = server
  await server.close()
  await using client = Client.of(Items, 'items').address(address).build()
  const error = await t.throwsAsync(client.get(1n), { instanceOf: TransportError })
  t.is(error.sent, 'no')
  t.true(error.message.startsWith(`Items.get on ${address} failed: `), error.message)
  t.regex(error.message, /refused/)
})

test('a closed server ends calls that outlast the grace time; their clients learn that they may have run', async (t) => {
  let signal: AbortSignal | undefined
  const handlers: typeof impl = {
    ...impl,
    join: (_, cx) => {
      signal = cx.signal
      return new Promise<string>(() => undefined)
    },
  }
  const server = await Server.of(Items, handlers).listen('127.0.0.1:0')
  await using client = Client.of(Items, 'items').address(server.address).build()
  const call = client.join({ left: '', right: '' })
  while (signal === undefined) await sleep(1)
  await server.close({ grace: '50ms' })
  const error = await t.throwsAsync(call, { instanceOf: TransportError })
  t.is(error.sent, 'maybe')
  while (!signal.aborted) await sleep(1)
  t.pass()
})

test('closing a client fails the calls that outlast the grace time', async (t) => {
  const handlers = { ...impl, join: () => new Promise<string>(() => undefined) }
  await using server = await Server.of(Items, handlers).listen('127.0.0.1:0')
  const client = Client.of(Items, 'items').address(server.address).build()
  const call = client.join({ left: '', right: '' })
  const failed = t.throwsAsync(call, { instanceOf: TransportError })
  await sleep(20)
  await Client.close(client, { grace: '10ms' })
  await failed
  await server.close({ grace: 0 })
})

/** A program that serves Items; `join` takes half a second. */
const program = `
  import { Server } from ${JSON.stringify(new URL('../index.js', import.meta.url).href)}
  import { Items } from ${JSON.stringify(new URL('items.fixture.js', import.meta.url).href)}
  await Server.of(Items, {
    get: (id) => ({ id, title: '' }),
    join: ({ left, right }) => new Promise((resolve) => {
      console.log('started')
      if (left !== 'never') setTimeout(resolve, 500, left + right)
    }),
    nothing() {},
    note() {},
  }).run('127.0.0.1:0', ({ address }) => console.log('listening on ' + address))
  console.log('closed')
`

async function start(): Promise<{
  child: ReturnType<typeof spawn>
  line: () => Promise<string>
  exit: Promise<unknown[]>
}> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const line = async (): Promise<string> => String((await lines.next()).value)
  return { child, line, exit: once(child, 'exit') }
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`run drains on ${signal}: the call in flight is answered, the program goes on and ends with code 0`, async (t) => {
    const { child, line, exit } = await start()
    const address = (await line()).replace('listening on ', '')
    await using client = Client.of(Items, 'items').address(address).build()
    const call = client.join({ left: 'a', right: 'b' })
    t.is(await line(), 'started')
    child.kill(signal)
    t.is(await call, 'ab')
    t.is(await line(), 'closed')
    t.deepEqual(await exit, [0, null])
  })
}

test('a second signal ends the program at once', async (t) => {
  const { child, line, exit } = await start()
  const address = (await line()).replace('listening on ', '')
  const client = Client.of(Items, 'items').address(address).build()
  const call = client.join({ left: 'never', right: '' })
  t.is(await line(), 'started')
  child.kill('SIGTERM')
  await sleep(50)
  child.kill('SIGTERM')
  await t.throwsAsync(call, { instanceOf: TransportError })
  t.deepEqual(await exit, [143, null])
})

test('a program whose client has no call in flight ends by itself', async (t) => {
  await using server = await Server.of(Items, impl).listen('127.0.0.1:0')
  const code = `
    import { Client } from ${JSON.stringify(new URL('../index.js', import.meta.url).href)}
    import { Items } from ${JSON.stringify(new URL('items.fixture.js', import.meta.url).href)}
    const client = Client.of(Items, 'items').address('${server.address}').build()
    console.log((await client.get(7n)).id)
  `
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
  const output = child.stdout.toArray()
  t.deepEqual(await once(child, 'exit'), [0, null])
  t.is(Buffer.concat((await output) as Buffer[]).toString(), '7n\n')
})
