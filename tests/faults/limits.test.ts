/** What a server takes, and what it does beyond that: new work is refused, what runs goes on. */
import test from 'ava'
import { ThriftApplicationError, TransportError } from 'volo-js/thrift'
import { Raw } from './raw.js'
import { accounted, clientOf, serve } from './subject.js'
import { until } from './until.js'
import { echoBinary, framed, message, MessageType, ping } from './wire.js'

function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open!: () => void
  const opened = new Promise<void>((resolve) => (open = resolve))
  return { opened, open }
}

test('an address that has its connections gets no other one until one of them is closed', async (t) => {
  // One is the bystander's.
  const { server, events } = await serve(t, {}, { maxConnectionsPerPeer: 3 })
  const first = await Raw.to(t, server.address)
  const second = await Raw.to(t, server.address)
  for (const raw of [first, second]) {
    raw.send(framed(ping('here')))
    t.is((await raw.message()).name, 'Ping')
  }
  const refused = await Raw.to(t, server.address)
  refused.send(framed(ping('too many')))
  t.not(await refused.end(), undefined)
  await until('it is counted', () => server.stats().refusedPerPeer === 1)
  t.is(server.stats().refused, 0)
  await until('it is told', () => events.some((text) => text.includes('maxConnectionsPerPeer')))
  // The refused one has harmed nobody, and a place that is free is given again.
  second.send(framed(ping('still here', 2)))
  t.is((await second.message()).sequence, 2)
  first.half()
  t.is(await first.end(), 'end')
  await until('its place is free', () => server.stats().connections === 2)
  const third = await Raw.to(t, server.address)
  third.send(framed(ping('third')))
  t.is((await third.message()).name, 'Ping')
  accounted(t, server)
})

test('calls beyond those in flight are refused with what to do; those in flight are answered', async (t) => {
  const { opened, open } = gate()
  let running = 0
  const { server } = await serve(
    t,
    {
      toString: async (text) => {
        running += 1
        await opened
        return text
      },
    },
    { maxCalls: 4 },
  )
  // One call a connection, so that I/O threads, which share the limit, get as many each.
  const client = clientOf(t, server.address)
  const outcomes = Array.from({ length: 40 }, (_, n) =>
    client.toString(`${n}`).then(
      (text) => text === `${n}`,
      (error: unknown) => error,
    ),
  )
  await until('all others are refused', () => server.stats().overloads === 36)
  await until('four run', () => running === 4)
  open()
  const ended = await Promise.all(outcomes)
  t.is(ended.filter((outcome) => outcome === true).length, 4)
  for (const outcome of ended.filter((other) => other !== true)) {
    t.true(outcome instanceof ThriftApplicationError)
    t.regex((outcome as Error).message, /RESOURCE_EXHAUSTED.*calls in flight/)
  }
  t.is(await client.toString('afterwards'), 'afterwards')
  accounted(t, server)
})

test('a connection without calls is closed after the idle time; one with a call is not', async (t) => {
  const { opened, open } = gate()
  const { server, events } = await serve(
    t,
    {
      toString: async (text) => {
        await opened
        return text
      },
    },
    { idleTimeout: 200 },
  )
  const busy = clientOf(t, server.address)
  const call = busy.toString('slow')
  const idle = await Raw.to(t, server.address)
  idle.send(framed(ping('once')))
  t.is((await idle.message()).name, 'Ping')
  t.is(await idle.end(), 'end')
  await until('the bystander, idle as well, is closed too', () => server.stats().idleTimeouts === 2)
  t.is(server.stats().connections, 1)
  open()
  t.is(await call, 'slow')
  t.deepEqual(events, [], 'nothing an operator has not asked for')
})

test('a peer that takes nothing of its answers loses its connection, and nobody else anything', async (t) => {
  const { server, events, unharmed } = await serve(t, {}, { writeTimeout: 300 })
  const raw = await Raw.to(t, server.address)
  raw.socket.pause()
  // More than the kernel keeps for a peer that does not read.
  raw.send(framed(echoBinary(Buffer.alloc(15 << 20, 1))))
  await until('it is given up', () => server.stats().writeTimeouts === 1)
  await until('it is told', () => events.some((text) => text.includes('taken nothing')))
  await unharmed()
})

test.serial(
  'a server short of memory refuses calls until answers are taken; those who take theirs get them',
  async (t) => {
    const large = 'x'.repeat(3 << 20)
    const { server } = await serve(t, { toString: () => large }, { memoryBudget: '8MiB', maxUnwritten: '64MiB' })
    const client = clientOf(t, server.address)
    const raw = await Raw.to(t, server.address)
    raw.socket.pause()
    const call = framed(message(MessageType.CALL, 'toString', 1, ping('').subarray(-8)))
    // The answers fill what the kernel keeps, then the budget.
    let sent = 0
    let refused: unknown
    while (refused === undefined && sent < 40) {
      const { calls } = server.stats()
      raw.send(call)
      sent += 1
      await until('it is taken', () => server.stats().calls > calls)
      await client.ping('now').catch((error: unknown) => (refused = error))
    }
    t.true(refused instanceof ThriftApplicationError)
    t.regex((refused as Error).message, /RESOURCE_EXHAUSTED.*memory/)
    t.true(server.stats().memoryRefusals > 0)
    raw.socket.resume()
    let answers = 0
    for (let n = 0; n < sent; n += 1) if ((await raw.message()).type === MessageType.REPLY) answers += 1
    t.true(answers > 1, `${answers} of ${sent} were answered`)
    t.is(await client.ping('later'), 'later')
    accounted(t, server)
  },
)

test.serial('what is pooled is shown, and used again', async (t) => {
  const { server } = await serve(t)
  const client = clientOf(t, server.address, (builder) => builder.pipelined())
  await Promise.all(Array.from({ length: 200 }, (_, n) => client.ping(`${n}`)))
  const before = server.stats().pools
  for (let n = 0; n < 500; n += 1) await client.ping(`${n}`)
  const { pools } = server.stats()
  t.is(pools.contextsInUse, 0)
  t.is(pools.contextsSpare, before.contextsSpare, 'no call made a record of its own')
  t.true(pools.buffersReused >= before.buffersReused + 500)
  t.true(pools.buffersMade - before.buffersMade < 10, `${pools.buffersMade - before.buffersMade} buffers made`)
  t.true(pools.buffersSpare <= 256 * Math.max(1, server.runtime.threads + 1))
})

test('limits that are none are refused where the server is made', async (t) => {
  const error = await t.throwsAsync(serve(t, {}, { idleTimeout: 'soon' as never }))
  t.regex(error?.message ?? '', /idleTimeout/)
  t.false(error instanceof TransportError)
})
