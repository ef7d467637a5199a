/** Peers of gRPC that are stopped, killed or told to end in the middle of calls and streams. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { Client, TransportError } from 'volo-js'
import { runtimes } from '../soundness/runtimes.js'
import { TestService } from '../volo-gen/grpc/index.js'
import { ServerProcess, untilReport, type Report } from './server-process.js'

function clientOf(t: ExecutionContext, address: string): Client<typeof TestService> {
  const client = Client.of(TestService, 'test').address(address).build()
  t.teardown(() => Client.close(client, { grace: 0 }))
  return client
}

function accounted(t: ExecutionContext, { stats }: Report): void {
  const { calls, replies, exceptions, abandoned, inFlight } = stats
  t.is(calls, replies + exceptions + abandoned + inFlight, JSON.stringify(stats))
}

/** So many messages, with pauses between them. */
const slowly = (count: number, ms: number) => ({
  responseParameters: Array.from({ length: count }, () => ({ size: 10, intervalUs: ms * 1000 })),
})

async function count(messages: AsyncIterable<unknown>): Promise<number> {
  let read = 0
  for await (const _ of messages) read += 1
  return read
}

for (const { name, env } of runtimes) {
  const start = (t: ExecutionContext) => ServerProcess.start(t, { env, program: 'grpc-server' })

  test.serial(`a gRPC client killed in mid-call: its calls end, those of others are answered, ${name}`, async (t) => {
    const server = await start(t)
    const bystander = clientOf(t, server.address)
    await bystander.emptyCall({})
    const child = fork(fileURLToPath(new URL('./programs/grpc-caller.js', import.meta.url)), [server.address])
    t.teardown(() => child.kill('SIGKILL'))
    await once(child, 'message')
    await untilReport(server, 'calls and streams are in flight', ({ stats }) => stats.inFlight === 16)
    child.kill('SIGKILL')
    await t.notThrowsAsync(bystander.emptyCall({}))
    const report = await untilReport(
      server,
      'nothing of it is left',
      ({ stats }) => stats.connections === 1 && stats.inFlight === 0,
    )
    accounted(t, report)
    t.is(await server.stop(), 0)
    t.is(server.stderr, '')
  })

  test.serial(
    `a gRPC server that is stopped: calls end at their deadline, or wait until it goes on, ${name}`,
    async (t) => {
      const server = await start(t)
      const client = clientOf(t, server.address)
      await client.emptyCall({})
      server.child.kill('SIGSTOP')
      const late = [
        client.unaryCall({ responseSize: 1 }, { timeout: 200 }),
        count(client.streamingOutputCall(slowly(3, 1), { timeout: 200 })),
      ]
      for (const call of late) t.like(await t.throwsAsync(call), { code: 'DEADLINE_EXCEEDED' })
      const patient = [client.unaryCall({ responseSize: 1 }), count(client.streamingOutputCall(slowly(3, 1)))]
      await wait(50)
      server.child.kill('SIGCONT')
      const [, read] = await Promise.all(patient)
      t.is(read, 3)
      accounted(t, await untilReport(server, 'all calls have ended', ({ stats }) => stats.inFlight === 0))
      t.is(await server.stop(), 0)
    },
  )

  test.serial(`a gRPC server killed in mid-call: calls and streams fail at once, ${name}`, async (t) => {
    const server = await start(t)
    const client = clientOf(t, server.address)
    const calls = [
      ...Array.from({ length: 10 }, () => client.unaryCall({ responseSize: 1 })),
      ...Array.from({ length: 10 }, () => count(client.streamingOutputCall(slowly(1000, 5)))),
    ]
    const ends = Promise.allSettled(calls)
    await untilReport(server, 'all have come', ({ stats }) => stats.calls === 20)
    server.child.kill('SIGKILL')
    for (const end of (await ends).slice(10)) {
      const { reason } = end as PromiseRejectedResult
      t.true(reason instanceof TransportError, String(reason))
      t.like(reason, { code: 'UNAVAILABLE' })
    }
    await t.throwsAsync(server.ended, { message: /SIGKILL/ })
    t.like(await t.throwsAsync(client.emptyCall({})), { code: 'UNAVAILABLE', sent: 'no' })
  })

  test.serial(`a gRPC server that is told to end: calls and streams finish, and it ends well, ${name}`, async (t) => {
    const server = await start(t)
    const client = clientOf(t, server.address)
    const calls = Array.from({ length: 10 }, () => client.unaryCall({ responseSize: 1 }))
    const streams = Array.from({ length: 10 }, () => count(client.streamingOutputCall(slowly(20, 20))))
    await untilReport(server, 'all have come', ({ stats }) => stats.calls === 20)
    const ended = server.stop()
    await t.notThrowsAsync(Promise.all(calls))
    t.deepEqual(
      await Promise.all(streams),
      Array.from({ length: 10 }, () => 20),
    )
    t.is(await ended, 0)
    t.like(await t.throwsAsync(client.emptyCall({})), { code: 'UNAVAILABLE', sent: 'no' }, 'nobody is there any more')
  })
}
