/** Ten thousand connections that do nothing, while calls are answered. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { runtimes } from '../soundness/runtimes.js'
import { ServerProcess, untilReport } from './server-process.js'
import { clientOf } from './subject.js'

const idle = fileURLToPath(new URL('./programs/idle.js', import.meta.url))

/** Held by each of two processes, for one may not have so many descriptors. */
const EACH = 5000

for (const { name, env } of runtimes) {
  test.serial(`calls are answered while ten thousand connections are idle, ${name}`, async (t) => {
    t.timeout(120_000)
    // A process needs twice as many descriptors as are allowed at first on many machines.
    const server = await ServerProcess.start(t, { env, limits: ['-n $(ulimit -H -n)'], server: { backlog: 4096 } })
    const before = await server.report()
    const client = clientOf(t, server.address, (builder) => builder.pipelined())
    let done = false
    const calling = (async () => {
      let calls = 0
      for (; !done; calls += 1) t.is(await client.ping(`${calls}`), `${calls}`)
      return calls
    })()
    const holders = [0, 1].map(() => {
      const holder = fork(idle, [server.address, `${EACH}`])
      t.teardown(() => holder.kill('SIGKILL'))
      return holder
    })
    const holding = Promise.all(holders.map((holder) => once(holder, 'message')))
    const lost = Promise.race(holders.map((holder) => once(holder, 'exit'))).then(([code]) => {
      throw new Error(`a process that was to hold connections ended with ${code}`)
    })
    await Promise.race([holding, lost])
    const held = await server.report()
    t.is(held.stats.connections, 2 * EACH + 1)
    t.is(held.stats.refused, 0)
    // 10,000 connections at a few KiB each; the kernel's part of them is not in it.
    t.true(held.rss - before.rss < 150, `${before.rss} MiB grew to ${held.rss} MiB`)
    const other = clientOf(t, server.address)
    for (let n = 0; n < 100; n += 1) t.is(await other.ping(`${n}`), `${n}`)
    done = true
    const calls = await calling
    t.true(calls > 100, `${calls} calls`)
    lost.catch(() => undefined)
    for (const holder of holders) holder.kill('SIGKILL')
    const { stats } = await untilReport(server, 'all are gone', (report) => report.stats.connections === 2)
    t.is(stats.calls, stats.replies)
    t.is(stats.calls, 2 * EACH + 100 + calls)
    t.is(await server.stop(), 0)
  })
}
