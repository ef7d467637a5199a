/** A process that runs out of what the machine gives it: descriptors, memory, room for its log. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import { Client } from 'volo-js/thrift'
import { runtimes } from '../soundness/runtimes.js'
import { Raw } from './raw.js'
import { ServerProcess, untilReport } from './server-process.js'
import { clientOf } from './subject.js'
import { until } from './until.js'
import { echoBinary, framed, i32 } from './wire.js'

/** Address space in KiB: what Node takes for itself, and a quarter of a GiB. */
const ADDRESS_SPACE = 1_500_000

for (const { name, env } of runtimes) {
  test.serial(
    `without descriptors connections wait or are refused, those there are served, and it recovers, ${name}`,
    async (t) => {
      const server = await ServerProcess.start(t, { env, limits: ['-n 64'] })
      const client = clientOf(t, server.address, (builder) => builder.pipelined())
      t.is(await client.ping('first'), 'first')
      const raws = await Promise.all(Array.from({ length: 100 }, () => Raw.to(t, server.address)))
      const { stats } = await untilReport(server, 'it has no more', ({ stats }) => stats.connections > 20)
      t.true(stats.connections < 64)
      for (let n = 0; n < 50; n += 1) t.is(await client.ping(`${n}`), `${n}`)
      await until('an operator is told', () => /descriptor|open files/i.test(server.stderr))
      for (const raw of raws) raw.reset()
      await untilReport(server, 'they are gone', (report) => report.stats.connections === 1)
      const late = clientOf(t, server.address)
      t.is(await late.ping('after'), 'after')
      // One line for a while of it, not one for each connection.
      t.true(server.stderr.split('\n').length < 20, server.stderr)
      t.is(await server.stop(), 0)
    },
  )

  test.serial(`a client without descriptors says so, and goes on when it has some, ${name}`, async (t) => {
    const server = await ServerProcess.start(t, { env })
    const file = fileURLToPath(new URL('./programs/starved-client.js', import.meta.url))
    const starved = 'ulimit -n 64 && exec "$0" "$@"'
    const { stdout } = await promisify(execFile)('sh', ['-c', starved, process.execPath, file, server.address], {
      env: { ...process.env, ...env },
      timeout: 20_000,
    })
    const [outcome, ...answers] = stdout.trim().split('\n')
    const { code, sent, message } = JSON.parse(outcome) as { code: string; sent: string; message: string }
    t.deepEqual({ code, sent }, { code: 'UNAVAILABLE', sent: 'no' })
    t.regex(message, /open files/)
    t.deepEqual(answers, ['still connected', 'fed'])
  })

  test.serial(
    `frames beyond the limit or the budget are refused, and memory stays where it was, ${name}`,
    async (t) => {
      const server = await ServerProcess.start(t, {
        env,
        server: { maxFrameSize: '64MiB', memoryBudget: '32MiB' },
        flags: ['--max-old-space-size=64'],
      })
      const client = clientOf(t, server.address)
      t.is(await client.ping('before'), 'before')
      const before = await server.report()
      // An announced length is not reserved: nothing of it has come yet.
      const announced = await Promise.all(Array.from({ length: 200 }, () => Raw.to(t, server.address)))
      const frame = framed(echoBinary(Buffer.alloc(20 << 20)))
      for (const raw of announced) raw.send(frame.subarray(0, 1000))
      await untilReport(server, 'they are there', ({ stats }) => stats.connections === 201)
      const after = await server.report()
      t.true(after.rss - before.rss < 50, `${before.rss} MiB grew to ${after.rss} MiB`)
      // What does come counts: together it is more than there is.
      for (let round = 0; round < 4; round += 1) {
        for (const raw of announced.slice(0, 20)) raw.send(frame.subarray(1000, 1 << 20))
      }
      await untilReport(server, 'some are refused', ({ stats }) => stats.protocolErrors > 0)
      await until('an operator is told', () => server.stderr.includes('memory budget'))
      t.is(await client.ping('during'), 'during')
      const huge = await Raw.to(t, server.address)
      huge.send(i32(0x7fffffff))
      await huge.end()
      for (const raw of announced) raw.reset()
      await untilReport(server, 'they are gone', ({ stats }) => stats.connections === 1)
      t.is(await client.ping('after'), 'after')
      t.true((await server.report()).rss - before.rss < 100)
      t.is(await server.stop(), 0)
    },
  )

  test.serial(`with little address space a request too large for it costs its connection only, ${name}`, async (t) => {
    // V8 reserves address space generously: this leaves a few hundred MiB beside it.
    const server = await ServerProcess.start(t, {
      env,
      limits: [`-v ${ADDRESS_SPACE}`],
      server: { maxFrameSize: '1GiB', memoryBudget: '64MiB' },
      flags: ['--max-old-space-size=64'],
    })
    const client = clientOf(t, server.address)
    t.is(await client.ping('before'), 'before')
    const raw = await Raw.to(t, server.address)
    // Its head is good, its argument is longer than what there is; it comes until the server has enough.
    const piece = Buffer.alloc(1 << 20)
    raw.send(i32(900 << 20), echoBinary(piece).subarray(0, 100))
    for (let sent = 0; sent < 128 && raw.ended === undefined; sent += 1) {
      raw.send(piece)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await raw.end()
    t.is(await client.ping('after'), 'after')
    t.is(await server.stop(), 0)
  })

  for (const [what, stderr] of [
    ['no room', '/dev/full'],
    ['nobody who reads it', '&1'],
  ]) {
    test.serial(`a log with ${what}: calls are answered all the same, ${name}`, async (t) => {
      const server = await ServerProcess.start(t, { env, stderr })
      if (stderr === '&1') server.child.stdout!.destroy()
      const client = clientOf(t, server.address)
      for (let n = 0; n < 50; n += 1) {
        // Each of them is worth a line.
        const raw = await Raw.to(t, server.address)
        raw.send(i32(-1))
        await raw.end()
        await t.throwsAsync(client.fail(3))
        t.is(await client.ping(`${n}`), `${n}`)
      }
      const { stats } = await server.report()
      t.is(stats.protocolErrors, 50)
      t.is(stats.exceptions, 50)
      await Client.close(client)
      t.is(await server.stop(), 0)
    })
  }
}
