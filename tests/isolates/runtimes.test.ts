/** runIsolates where sockets live on I/O threads, and with gRPC: isolates die, are replaced and close as they do inline. */
import test from 'ava'
import { runIsolates } from 'volo-js'

import { runtimes } from '../soundness/runtimes.js'
import { call, eventually, keepBusy, threads } from './calls.js'
import { keepCallingGrpc } from './grpc-calls.js'

async function run(program: string, env: Readonly<Record<string, string>>) {
  let died = 0
  const isolates = await runIsolates(new URL(`./programs/${program}.js`, import.meta.url), {
    count: 2,
    signals: false,
    workerData: { address: '127.0.0.1:0' },
    env: { ...(process.env as Record<string, string>), ...env },
    onEvent: ({ kind }) => (died += kind === 'died' ? 1 : 0),
  })
  return { isolates, address: isolates.addresses[0], died: () => died }
}

for (const { name, env } of runtimes) {
  test.serial(`an isolate dies and comes back, ${name}`, async (t) => {
    const { isolates, address, died } = await run('server', env)
    t.is((await threads(address)).length, 2)
    await call(address, -2n).catch(() => undefined)
    await eventually(() => died() === 1)
    await eventually(async () => (await isolates.stats()).isolates.every(({ state }) => state === 'listening'))
    t.is((await threads(address)).length, 2)
    const slow = call(address, -5n)
    await eventually(async () => (await isolates.stats()).inFlight === 1)
    await isolates.close()
    await t.notThrowsAsync(slow)
  })

  test.serial(`a reload moves connections over, ${name}`, async (t) => {
    const { isolates, address } = await run('server', env)
    let stop = false
    const calls = keepBusy(address, 'pool', 16, () => stop)
    await eventually(async () => (await isolates.stats()).connections === 16)
    await isolates.reload()
    await eventually(async () => (await isolates.stats()).connections === 16)
    stop = true
    const { answered, failures } = await calls
    t.deepEqual(failures, [])
    t.true(answered > 0)
    await isolates.close()
  })

  test.serial(`a reload under unary calls and streams of gRPC: 0 failed calls, ${name}`, async (t) => {
    const { isolates, address } = await run('grpc-server', env)
    let stop = false
    const calls = keepCallingGrpc(address, 4, () => stop)
    await eventually(async () => (await isolates.stats()).calls > 20)
    await isolates.reload()
    await isolates.reload()
    stop = true
    const { answered, failures } = await calls
    t.deepEqual(failures, [])
    t.true(answered > 0)
    await isolates.close()
  })
}
