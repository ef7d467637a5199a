/** Many cores with processes: node:cluster, processes side by side, and how all of them end on signals. */
import { setTimeout as sleep } from 'node:timers/promises'

import test from 'ava'
import { Client, VoloError } from 'volo-js/thrift'

import { ItemService } from '../../examples/volo-gen/index.js'
import { call, eventually, threads } from './calls.js'
import { start } from './processes.js'

const programOf = (name: string): URL => new URL(`./programs/${name}.js`, import.meta.url)

test('node:cluster: workers share a port, and one that dies is replaced', async (t) => {
  const { address, kill, ended } = await start(programOf('cluster'), ['2'])
  await eventually(async () => (await threads(address)).length === 2)
  const before = await threads(address)
  await call(address, -2n).catch(() => undefined)
  await eventually(async () => {
    const now = await threads(address).catch(() => [])
    return now.length === 2 && now.some((pid) => !before.includes(pid))
  })
  kill('SIGTERM')
  t.is((await ended).code, 0)
})

test('processes with reusePort share a port; one that ends leaves it to the others', async (t) => {
  const first = await start(programOf('alone'), ['127.0.0.1:0'])
  const second = await start(programOf('alone'), [first.address])
  t.is((await threads(first.address)).length, 2)
  second.kill('SIGTERM')
  t.is((await second.ended).code, 0)
  t.deepEqual(await threads(first.address), [first.pid])
  first.kill('SIGTERM')
  t.is((await first.ended).code, 0)
})

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal}: calls in flight finish, idle connections close, nobody connects any more, and the code is 0`, async (t) => {
    const { address, pid, kill, says, ended } = await start(programOf('alone'), ['127.0.0.1:0'])
    await using idle = Client.of(ItemService, 'item').address(address).build()
    await idle.getItem({ id: 1n })
    const slow = call(address, -5n)
    await says('begun')
    kill(signal)
    await sleep(50)
    await t.throwsAsync(call(address), { instanceOf: VoloError })
    t.is(await slow, pid)
    const { code, signal: by } = await ended
    t.deepEqual({ code, by }, { code: 0, by: null })
  })

  test(`${signal} closes all isolates, calls in flight first`, async (t) => {
    const { address, kill, says, ended } = await start(programOf('supervisor'), ['2'])
    const slow = call(address, -5n)
    await says('begun')
    kill(signal)
    await t.notThrowsAsync(slow)
    const { code, lines } = await ended
    t.is(code, 0)
    t.is(lines.at(-1), 'closed')
  })
}

test('a second signal ends a supervisor at once', async (t) => {
  const { address, kill, says, ended } = await start(programOf('supervisor'), ['1'])
  const busy = call(address, -4n).catch(() => undefined)
  await says('begun')
  kill('SIGTERM')
  await sleep(100)
  kill('SIGTERM')
  t.is((await ended).code, 128 + 15)
  await busy
})
