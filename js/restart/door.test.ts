import { setTimeout as sleep } from 'node:timers/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import test, { type ExecutionContext } from 'ava'

import { addon } from '../core/addon.js'
import { Door } from './door.js'
import { Passage, VERSION, type Saying } from './passage.js'

const PATIENCE = 1000

/** A door with one socket to offer, and how often its estate was handed over. */
function door(t: ExecutionContext, name: string) {
  const path = join(tmpdir(), `volo-door-${name}-${process.pid}.sock`)
  const { socket, address } = addon().bindSocket({ host: '127.0.0.1', port: 0 })
  const opened = new Door(path, undefined, PATIENCE)
  const handed = { count: 0 }
  opened.open({
    offers: () => [{ socket, isolate: 0, name: 'one', address, asked: { host: '127.0.0.1', port: 0 } }],
    handOver: () => {
      handed.count += 1
      return Promise.resolve()
    },
  })
  t.teardown(() => {
    opened.close()
    addon().closeSocket(socket)
  })
  return { path, handed }
}

/** A process that calls; what it hears, word by word. */
function caller(path: string) {
  const heard: Saying[] = []
  const passage = Passage.connect(path, {
    heard: (saying, socket) => {
      if (socket !== undefined) addon().closeSocket(socket)
      heard.push(saying)
    },
    ended: () => undefined,
  })
  passage.say({ kind: 'take', version: VERSION })
  const hears = async (kind: Saying['kind']): Promise<Saying> => {
    for (;;) {
      const saying = heard.find((said) => said.kind === kind)
      if (saying !== undefined) return saying
      await sleep(5)
    }
  }
  return { passage, heard, hears }
}

test('a process that hangs before it serves is followed by the next one, once its time is over', async (t) => {
  const { path, handed } = door(t, 'hangs')
  const first = caller(path)
  await first.hears('door')
  const early = caller(path)
  t.like(await early.hears('refused'), { reason: 'another process is taking over already; wait for it, or end it' })
  await sleep(PATIENCE)
  const second = caller(path)
  await second.hears('door')
  t.regex(JSON.stringify(await first.hears('refused')), /has not served within 1 s/)
  first.passage.say({ kind: 'ready' })
  second.passage.say({ kind: 'ready' })
  while (handed.count === 0) await sleep(5)
  await sleep(50)
  t.is(handed.count, 1, 'what a process says that was turned away does not count')
  second.passage.close()
})

test('a process that serves is not followed while it takes over', async (t) => {
  const { path, handed } = door(t, 'serves')
  const first = caller(path)
  await first.hears('door')
  first.passage.say({ kind: 'ready' })
  while (handed.count === 0) await sleep(5)
  await sleep(PATIENCE)
  const second = caller(path)
  await sleep(100)
  t.deepEqual(second.heard, [], 'who calls now is for the process that took over')
  first.passage.close()
  second.passage.close()
})
