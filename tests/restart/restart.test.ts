/** Hot restart: a new process takes the sockets of the running one, connections included, and no call is lost. */
import { once } from 'node:events'
import { existsSync, rmSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import test, { type ExecutionContext } from 'ava'
import { runIsolates } from 'volo-js'
import { Client, Server, TransportError, VoloError } from 'volo-js/thrift'

import { addon } from '../../dist/core/addon.js'
import { Predecessor } from '../../dist/restart/predecessor.js'
import { ItemService } from '../../examples/volo-gen/index.js'
import { keepBusy } from '../isolates/calls.js'
import { program, type Running } from '../isolates/processes.js'
import { npmLoad, rustLoad } from './load.js'
import { freshPath, programOf, startServer, type StartOptions } from './server.js'

/** How long the load lasts. Starting a process takes a fraction of a second, on a busy machine some seconds. */
const SECONDS = 5
/** Restarts without load to wait for. */
const RESTARTS = 4

const portOf = (address: string): string => /\d+$/.exec(address)?.[0] ?? ''
const clientOf = (address: string) => Client.of(ItemService, 'item').address(address).build()

/**
 * Restarts while something goes on; every process that was replaced ended well. Gives the last one.
 * @param load Until it is over, or a few times where there is none.
 */
async function restart(
  t: ExecutionContext,
  first: Running,
  path: string,
  load?: Promise<unknown>,
  options: (n: number) => StartOptions = () => ({}),
): Promise<Running> {
  let current = first
  let isOver = false
  void load?.then(() => (isOver = true))
  for (let n = 0; load === undefined ? n < RESTARTS : !isOver; n += 1) {
    await sleep(300)
    const next = await startServer(first.address, path, options(n))
    const { code, lines } = await current.ended
    t.is(code, 0)
    t.is(lines.at(-1), 'ended')
    current = next
  }
  return current
}

async function stop(t: ExecutionContext, server: Running, path: string): Promise<void> {
  server.kill('SIGTERM')
  t.is((await server.ended).code, 0)
  t.false(existsSync(path), 'its files go with the last process')
}

for (const runtime of ['inline', 'tokio', 'monoio'] as const) {
  for (const depth of [1, 16]) {
    test.serial(`hot restart under 64 × ${depth} load (${runtime}): 0 failed calls`, async (t) => {
      const path = freshPath()
      const env = { VOLO_RUNTIME: runtime }
      const first = await startServer('127.0.0.1:0', path, { env })
      const load = rustLoad(portOf(first.address), SECONDS, 64, depth)
      const last = await restart(t, first, path, load, () => ({ env }))
      const { code, output } = await load
      t.is(code, 0, output)
      t.log(output.trim())
      await stop(t, last, path)
    })
  }
}

test.serial('hot restart of isolates, now more, now fewer of them: 0 failed calls', async (t) => {
  const path = freshPath()
  const first = await startServer('127.0.0.1:0', path, { isolates: 2 })
  const load = rustLoad(portOf(first.address), SECONDS, 64, 1)
  const last = await restart(t, first, path, load, (n) => ({ isolates: [1, 3, 2][n % 3] }))
  const { code, output } = await load
  t.is(code, 0, output)
  await stop(t, last, path)
})

test('where there are fewer isolates than before, nobody who connects waits until the old ones have ended', async (t) => {
  const path = freshPath()
  const first = await startServer('127.0.0.1:0', path, { isolates: 3 })
  const client = clientOf(first.address)
  let isOver = false
  const slow = client.getItem({ id: -7n }).finally(() => (isOver = true))
  slow.catch(() => undefined)
  await sleep(100)
  const second = await startServer(first.address, path, { isolates: 1 })
  for (let n = 0; n < 32; n += 1) {
    await using another = clientOf(first.address)
    await another.getItem({ id: 1n })
  }
  t.false(isOver, 'the call in flight goes on')
  // An old process that hangs is no better than this.
  first.kill('SIGKILL')
  await t.throwsAsync(slow)
  await using another = clientOf(first.address)
  t.is((await another.getItem({ id: 1n })).item.title, 'Hello Volo')
  await Client.close(client)
  await stop(t, second, path)
})

test('isolates that do not listen where the running process does change nothing', async (t) => {
  const path = freshPath()
  const first = await startServer('127.0.0.1:0', path, { isolates: 2 })
  const error = await t.throwsAsync(startServer('[::1]:0', path, { isolates: 1, startTimeout: '2s' }))
  t.regex(error.message, /listens on 127\.0\.0\.1:\d+, which nobody here does/)
  await using client = clientOf(first.address)
  t.is((await client.getItem({ id: 1n })).item.title, 'Hello Volo')
  const socket = freshPath()
  const other = await startServer(`unix:${socket}`, freshPath(), { isolates: 2 })
  other.kill('SIGTERM')
  t.is((await other.ended).code, 0)
  t.false(existsSync(socket))
  await stop(t, first, path)
})

test('isolates that listen on one address after another take all of them over', async (t) => {
  const [path, socket] = [freshPath(), freshPath()]
  const first = await startServer(`unix:${socket},127.0.0.1:0`, path, { isolates: 1 })
  const second = await startServer(`unix:${socket},127.0.0.1:0`, path, { isolates: 1 })
  t.is((await first.ended).code, 0)
  t.is(second.address, first.address)
  for (const address of [second.address, `unix:${socket}`]) {
    await using client = clientOf(address)
    t.is((await client.getItem({ id: 1n })).item.title, 'Hello Volo')
  }
  await stop(t, second, path)
})

test('a single server and isolates take a Unix socket over from each other', async (t) => {
  const [path, socket] = [freshPath(), freshPath()]
  const single = await startServer(`unix:${socket}`, path)
  await using client = clientOf(single.address)
  await client.getItem({ id: 1n })
  const isolates = await startServer(single.address, path, { isolates: 2 })
  t.is((await single.ended).code, 0)
  t.is((await client.getItem({ id: -101n })).item.title, 'Hello Volo')
  const another = await startServer(single.address, path)
  t.is((await isolates.ended).code, 0)
  t.is((await client.getItem({ id: -101n })).item.title, another.pid)
  await stop(t, another, path)
})

test.serial("connections of npm's thrift client stay open through restarts", async (t) => {
  const path = freshPath()
  const first = await startServer('127.0.0.1:0', path)
  const load = npmLoad(portOf(first.address), SECONDS)
  const last = await restart(t, first, path, load)
  const { code, output } = await load
  t.is(code, 0, output)
  await stop(t, last, path)
})

for (const mode of ['pool', 'pipelined'] as const) {
  test.serial(`connections of a ${mode} client over a Unix socket stay open through restarts`, async (t) => {
    const [path, socket] = [freshPath(), freshPath()]
    const first = await startServer(`unix:${socket}`, path)
    let done = false
    const calls = keepBusy(first.address, mode, 16, () => done)
    const last = await restart(t, first, path)
    done = true
    const { answered, failures } = await calls
    t.deepEqual(failures, [])
    t.true(answered > 0)
    await stop(t, last, path)
    t.false(existsSync(socket))
  })
}

test('who connects during restarts is never refused', async (t) => {
  const path = freshPath()
  const first = await startServer('127.0.0.1:0', path)
  let done = false
  let answered = 0
  const failures: string[] = []
  const lanes = Array.from({ length: 8 }, async () => {
    while (!done) {
      await using client = clientOf(first.address)
      try {
        await client.getItem({ id: 1n })
        answered += 1
      } catch (error) {
        failures.push(String(error))
      }
    }
  })
  const last = await restart(t, first, path)
  done = true
  await Promise.all(lanes)
  t.deepEqual(failures, [])
  t.true(answered > 0)
  await stop(t, last, path)
})

test('a call in flight is answered by the process that has it, later ones by its successor', async (t) => {
  const path = freshPath()
  const first = await startServer('127.0.0.1:0', path)
  await using client = Client.of(ItemService, 'item').address(first.address).pipelined().build()
  t.is((await client.getItem({ id: -101n })).item.title, first.pid)
  const slow = client.getItem({ id: -5n })
  await sleep(50)
  const second = await startServer(first.address, path)
  const next = client.getItem({ id: -101n })
  t.is((await slow).item.title, 'Hello Volo')
  // The running process may have read it before it was told of the other one.
  t.true([first.pid, second.pid].includes((await next).item.title))
  t.is((await first.ended).code, 0)
  t.is((await client.getItem({ id: -101n })).item.title, second.pid)
  await stop(t, second, path)
})

/** GetItem(req: { id }), framed. */
function request(id: bigint): Buffer {
  const name = Buffer.from('GetItem')
  const number = Buffer.alloc(8)
  number.writeBigInt64BE(id)
  const body = Buffer.concat([
    Buffer.from('80010001', 'hex'),
    Buffer.from([0, 0, 0, name.length]),
    name,
    Buffer.from('00000001', 'hex'),
    Buffer.from('0c00010a0001', 'hex'),
    number,
    Buffer.from('0000', 'hex'),
  ])
  return Buffer.concat([Buffer.from([0, 0, 0, body.length]), body])
}

test('half a request moves with its connection', async (t) => {
  const path = freshPath()
  const first = await startServer('127.0.0.1:0', path)
  const socket = connect(Number(portOf(first.address)), '127.0.0.1')
  await once(socket, 'connect')
  const frame = request(7n)
  socket.write(frame.subarray(0, 20))
  await sleep(100)
  const second = await startServer(first.address, path)
  t.is((await first.ended).code, 0)
  socket.write(frame.subarray(20))
  const [answer] = (await once(socket, 'data')) as [Buffer]
  t.true(answer.includes('Hello Volo'))
  socket.destroy()
  await stop(t, second, path)
})

test('a call that does not end is given up after the grace time', async (t) => {
  const path = freshPath()
  const first = await startServer('127.0.0.1:0', path, { grace: '200ms' })
  await using client = clientOf(first.address)
  const call = client.getItem({ id: -6n })
  await sleep(50)
  const second = await startServer(first.address, path)
  await t.throwsAsync(call, { instanceOf: TransportError })
  t.is((await first.ended).code, 0)
  t.is((await client.getItem({ id: -101n })).item.title, second.pid)
  await stop(t, second, path)
})

test('a new process that dies before it serves changes nothing', async (t) => {
  const path = freshPath()
  const first = await startServer('127.0.0.1:0', path)
  await using client = clientOf(first.address)
  for (let n = 0; n < 3; n += 1) {
    const [code] = (await once(program(programOf('take-and-die'), [path]), 'close')) as [number]
    t.is(code, 1, 'it had the sockets')
    t.is((await client.getItem({ id: -101n })).item.title, first.pid)
    await using another = clientOf(first.address)
    t.is((await another.getItem({ id: -101n })).item.title, first.pid)
  }
  const second = await startServer(first.address, path)
  t.is((await first.ended).code, 0)
  await stop(t, second, path)
})

test('a connection that stays in an isolate which is being replaced moves too', async (t) => {
  const path = freshPath()
  const first = await startServer('127.0.0.1:0', path, { isolates: 1 })
  const socket = connect(Number(portOf(first.address)), '127.0.0.1')
  await once(socket, 'connect')
  socket.write(request(-6n))
  await sleep(100)
  first.kill('SIGHUP')
  // Long enough for its successor to serve, as a rule; the connection moves in any case.
  await sleep(700)
  const second = await startServer(first.address, path, { isolates: 1 })
  await once(socket, 'data')
  t.is((await first.ended).code, 0)
  socket.write(request(1n))
  const [answer] = (await once(socket, 'data')) as [Buffer]
  t.true(answer.includes('Hello Volo'))
  socket.destroy()
  await stop(t, second, path)
})

/** This process as the next one: it has the sockets of the running one, and has not said yet that it serves. */
async function inherit(path: string) {
  const predecessor = Predecessor.find(path)
  if (predecessor === undefined) throw new Error('nobody hands over')
  const { offers, door } = await predecessor.inherit()
  const takeOver = () =>
    Promise.race([
      predecessor.takeOver((_name, socket) => addon().closeSocket(socket)).then(() => 'taken over'),
      sleep(20_000, 'too long', { ref: false }),
    ])
  const close = () => {
    for (const socket of [door, ...offers.map(({ socket }) => socket)]) addon().closeSocket(socket)
  }
  return { takeOver, close }
}

test('a process that is told to end while another takes over finishes its calls, and leaves the files to that one', async (t) => {
  const [path, socket] = [freshPath(), freshPath()]
  const first = await startServer(`unix:${socket}`, path)
  const next = await inherit(path)
  await using client = clientOf(first.address)
  const slow = client.getItem({ id: -5n })
  await first.says('begun')
  first.kill('SIGTERM')
  await sleep(100)
  t.is(await next.takeOver(), 'taken over')
  t.is((await slow).item.title, 'Hello Volo')
  t.is((await first.ended).code, 0)
  t.true(existsSync(path) && existsSync(socket))
  next.close()
  rmSync(path)
  rmSync(socket)
})

test('isolates that are told to end while another process takes over finish their calls', async (t) => {
  const [path, socket] = [freshPath(), freshPath()]
  const first = await startServer(`unix:${socket}`, path, { isolates: 2 })
  const next = await inherit(path)
  await using client = clientOf(first.address)
  const slow = client.getItem({ id: -5n })
  await first.says('begun')
  first.kill('SIGTERM')
  await sleep(100)
  t.is(await next.takeOver(), 'taken over')
  t.is((await slow).item.title, 'Hello Volo')
  t.is((await first.ended).code, 0)
  t.true(existsSync(path) && existsSync(socket))
  next.close()
  rmSync(path)
  rmSync(socket)
})

test('a process that dies while another takes over is not waited for', async (t) => {
  const path = freshPath()
  const first = await startServer('127.0.0.1:0', path)
  const next = await inherit(path)
  first.kill('SIGKILL')
  await first.ended
  await sleep(100)
  t.is(await next.takeOver(), 'taken over')
  next.close()
  rmSync(path)
})

test('who calls to take over and talks nonsense is turned away, and the process serves on', async (t) => {
  const path = freshPath()
  const first = await startServer('127.0.0.1:0', path)
  const nonsense = [
    [1, 2],
    [4, 0, 0, 0, ...Buffer.from('nonsense')],
    [4, 0, 0, 0, ...Buffer.from('null')],
  ]
  for (const bytes of nonsense) {
    await new Promise<void>((resolve) => {
      const passage = addon().NativePassage.connect(path, (body) => {
        if (body === null) resolve()
      })
      passage.send(Uint8Array.from(bytes), undefined)
    })
  }
  await using client = clientOf(first.address)
  t.is((await client.getItem({ id: -101n })).item.title, first.pid)
  await stop(t, first, path)
})

test('a path for hand-over that cannot be listened on is told, and nothing serves', async (t) => {
  const [handover, socket] = [join(freshPath(), 'none'), freshPath()]
  const server = Server.of(ItemService, {
    getItem: ({ id }) => ({ item: { id, title: '', content: '' } }),
  }).options({ handover })
  const error = await t.throwsAsync(server.listen(`unix:${socket}`), { instanceOf: VoloError })
  t.is(error.code, 'UNAVAILABLE')
  t.regex(error.message, /cannot hand over on .*give a path in a directory that exists/)
  t.false(existsSync(socket))
  const module = new URL('./programs/isolate.js', import.meta.url)
  const isolates = runIsolates(module, { count: 1, argv: [`unix:${socket}`], signals: false, handover })
  t.is((await t.throwsAsync(isolates, { instanceOf: VoloError })).code, 'UNAVAILABLE')
  t.false(existsSync(socket))
})

test('a process that asks for another address is told, and the running one goes on', async (t) => {
  const path = freshPath()
  const first = await startServer('127.0.0.1:0', path)
  const error = await t.throwsAsync(startServer('127.0.0.1:1', path))
  t.regex(error.message, /listens on 127\.0\.0\.1:\d+, which is not the address asked for/)
  t.is(statSync(path).mode & 0o777, 0o600)
  await using client = clientOf(first.address)
  t.is((await client.getItem({ id: -101n })).item.title, first.pid)
  await stop(t, first, path)
})

test('files of a process that was killed are not in the way', async (t) => {
  const [path, socket] = [freshPath(), freshPath()]
  const first = await startServer(`unix:${socket}`, path)
  first.kill('SIGKILL')
  await first.ended
  t.true(existsSync(path) && existsSync(socket))
  const second = await startServer(`unix:${socket}`, path)
  await stop(t, second, path)
})
