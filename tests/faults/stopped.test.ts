/** Peers that are stopped or killed in the middle of calls. */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { TransportError, VoloError } from 'volo-js/thrift'
import { runtimes } from '../soundness/runtimes.js'
import { Raw } from './raw.js'
import { ServerProcess, untilReport, type Report } from './server-process.js'
import { clientOf } from './subject.js'
import { framed, MessageType, ping } from './wire.js'

/** A process that calls all the time. */
async function caller(t: ExecutionContext, address: string): Promise<ChildProcess> {
  const file = fileURLToPath(new URL('./programs/caller.js', import.meta.url))
  const child = fork(file, [address, '64'], { silent: true })
  t.teardown(() => child.kill('SIGKILL'))
  await once(child, 'message')
  return child
}

function accounted(t: ExecutionContext, { stats }: Report): void {
  const { calls, replies, exceptions, abandoned, inFlight } = stats
  t.is(calls, replies + exceptions + abandoned + inFlight, JSON.stringify(stats))
}

for (const { name, env } of runtimes) {
  test.serial(`clients killed in mid-call: their calls end, those of others are answered, ${name}`, async (t) => {
    const server = await ServerProcess.start(t, { env })
    const bystander = clientOf(t, server.address)
    for (let round = 0; round < 3; round += 1) {
      const children = await Promise.all([caller(t, server.address), caller(t, server.address)])
      await untilReport(server, 'calls are in flight', ({ stats }) => stats.inFlight > 0)
      for (const child of children) child.kill('SIGKILL')
      t.is(await bystander.ping('during'), 'during')
      const report = await untilReport(
        server,
        'nothing of them is left',
        ({ stats }) => stats.connections === 1 && stats.inFlight === 0,
      )
      accounted(t, report)
    }
    t.is(await server.stop(), 0)
    t.is(server.stderr, '')
  })

  test.serial(`a client that is stopped in mid-call goes on where it was, ${name}`, async (t) => {
    const server = await ServerProcess.start(t, { env, server: { maxUnwritten: '64KiB' } })
    const bystander = clientOf(t, server.address)
    const child = await caller(t, server.address)
    child.kill('SIGSTOP')
    // What it had sent is answered, then nothing moves.
    let calls = -1
    await untilReport(server, 'it is quiet', ({ stats }) => {
      const quiet = stats.inFlight === 0 && calls === stats.calls
      calls = stats.calls
      return quiet
    })
    for (let n = 0; n < 20; n += 1) t.is(await bystander.ping(`${n}`), `${n}`)
    child.kill('SIGCONT')
    await untilReport(server, 'it calls again', ({ stats }) => stats.calls > calls + 200)
    child.kill('SIGKILL')
    const report = await untilReport(
      server,
      'it is gone',
      ({ stats }) => stats.connections === 1 && stats.inFlight === 0,
    )
    accounted(t, report)
    t.is(await server.stop(), 0)
  })

  test.serial(`a server that was stopped reads what came meanwhile before it calls it late, ${name}`, async (t) => {
    const server = await ServerProcess.start(t, { env, server: { frameTimeout: '3s' } })
    const request = framed(ping('in two halves'))
    const peers = await Promise.all(Array.from({ length: 50 }, () => Raw.to(t, server.address)))
    for (const peer of peers) peer.send(request.subarray(0, 9))
    await untilReport(server, 'the first halves are there', ({ stats }) => stats.bytesRead === 9 * peers.length)
    server.child.kill('SIGSTOP')
    for (const peer of peers) peer.send(request.subarray(9))
    await wait(3500)
    server.child.kill('SIGCONT')
    for (const peer of peers) t.is((await peer.message()).type, MessageType.REPLY)
    t.is((await server.report()).stats.frameTimeouts, 0)
    t.is(await server.stop(), 0)
    t.is(server.stderr, '')
  })

  for (const mode of ['pool', 'pipelined'] as const) {
    test.serial(
      `a server that is stopped: calls end at their deadline and may have been processed, ${mode}, ${name}`,
      async (t) => {
        const server = await ServerProcess.start(t, { env })
        const client = clientOf(t, server.address, (builder) => (mode === 'pipelined' ? builder.pipelined() : builder))
        t.is(await client.ping('before'), 'before')
        server.child.kill('SIGSTOP')
        const calls = Array.from({ length: 20 }, (_, n) => client.ping(`${n}`, { timeout: 200 }))
        for (const outcome of await Promise.allSettled(calls)) {
          t.is(outcome.status, 'rejected')
          const { reason } = outcome as PromiseRejectedResult
          t.true(VoloError.is(reason), String(reason))
          t.like(reason, { code: 'DEADLINE_EXCEEDED', sent: 'maybe' })
        }
        // Without a deadline a call waits until the server goes on.
        const patient = client.ping('patient')
        await wait(50)
        server.child.kill('SIGCONT')
        t.is(await patient, 'patient')
        const report = await untilReport(server, 'all calls have ended', ({ stats }) => stats.inFlight === 0)
        accounted(t, report)
        t.is(await server.stop(), 0)
      },
    )

    test.serial(
      `a server killed in mid-call: calls fail at once, and those made later are not sent, ${mode}, ${name}`,
      async (t) => {
        const server = await ServerProcess.start(t, { env })
        const client = clientOf(t, server.address, (builder) => (mode === 'pipelined' ? builder.pipelined() : builder))
        const calls = Array.from({ length: 20 }, (_, n) =>
          t.throwsAsync(client.toString(`held ${n}`), { instanceOf: TransportError }),
        )
        await untilReport(server, 'all are handled', ({ stats }) => stats.inFlight === 20)
        server.child.kill('SIGKILL')
        for (const error of await Promise.all(calls)) t.like(error, { code: 'UNAVAILABLE', sent: 'maybe' })
        // Its connections may be closed before its listening socket is.
        await t.throwsAsync(server.ended, { message: /SIGKILL/ })
        const later = await t.throwsAsync(client.ping('later'), { instanceOf: TransportError })
        t.like(later, { code: 'UNAVAILABLE', sent: 'no' })
      },
    )
  }
}
