/** runIsolates: several threads on one port, what happens when one dies, and how they are replaced. */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import test from 'ava'
import { runIsolates, VoloError, type IsolateEvent, type IsolatesOptions } from 'volo-js'

import { call, eventually, keepBusy, keepCalling, threads } from './calls.js'

const module = new URL('./programs/server.js', import.meta.url)

/** What isolates share with the test, see programs/server.ts. */
const shared = () => new Int32Array(new SharedArrayBuffer(8))

/** Isolates that tell the test what happens to them. */
async function run(
  options: IsolatesOptions & { address?: string; others?: readonly string[]; control?: Int32Array } = {},
) {
  const { address = '127.0.0.1:0', others = [], control, ...rest } = options
  const events: IsolateEvent[] = []
  const isolates = await runIsolates(module, {
    count: 2,
    signals: false,
    restart: { min: '20ms', max: '200ms' },
    workerData: { address, others, ...(control === undefined ? {} : { control }) },
    onEvent: (event) => events.push(event),
    ...rest,
  })
  const died = () => events.filter(({ kind }) => kind === 'died').length
  return { isolates, events, died, address: isolates.addresses[0] }
}

test('isolates share a port, and each has a socket of its own', async (t) => {
  const { isolates, address } = await run({ count: 3 })
  t.is(isolates.addresses.length, 1)
  t.is((await threads(address)).length, 3)
  const stats = await isolates.stats()
  t.is(stats.calls, 64)
  t.is(stats.isolates.length, 3)
  t.is(
    stats.isolates.reduce((sum, { calls }) => sum + calls, 0),
    64,
  )
  t.true(stats.isolates.every(({ state, restarts, calls }) => state === 'listening' && restarts === 0 && calls > 0))
  await isolates.close()
  await t.throwsAsync(call(address), { instanceOf: VoloError })
})

test('two servers of an isolate have a port each, and never one address', async (t) => {
  const { isolates } = await run({ others: ['127.0.0.1:0'] })
  const [one, other] = isolates.addresses
  t.is(isolates.addresses.length, 2)
  t.not(one, other)
  for (const address of isolates.addresses) t.is((await threads(address)).length, 2)
  const slow = call(one, -6n)
  await eventually(async () => (await isolates.stats()).inFlight === 1)
  t.is((await isolates.stats()).pools.contextsInUse, 1, 'counted once for both servers')
  await slow
  await isolates.close()
  const again = await run({ address: one, others: [one], count: 1 })
  await eventually(() => again.died() > 0)
  const text = again.events.find(({ kind }) => kind === 'died')?.text ?? ''
  t.regex(text, /another server of this isolate has this address \(EADDRINUSE\)/)
  await again.isolates.close()
})

test('a Unix socket is shared', async (t) => {
  const path = join(tmpdir(), `volo-isolates-${process.pid}.sock`)
  const { isolates, address } = await run({ address: `unix:${path}` })
  t.is(address, `unix:${path}`)
  await eventually(async () => (await threads(address)).length === 2)
  await isolates.close()
})

for (const [name, id, options] of [
  ['throws', -1n, {}],
  ['exits', -2n, {}],
  ['runs out of memory', -3n, { resourceLimits: { maxOldGenerationSizeMb: 32 } }],
] as const) {
  test(`an isolate that ${name} is started again while the other serves`, async (t) => {
    const { isolates, events, died, address } = await run(options)
    // The call that does harm is lost, if the isolate dies before it answers.
    await call(address, id).catch(() => undefined)
    await eventually(() => died() === 1)
    await eventually(async () => (await isolates.stats()).isolates.every(({ state }) => state === 'listening'))
    t.is((await threads(address)).length, 2)
    t.is(
      (await isolates.stats()).isolates.reduce((sum, { restarts }) => sum + restarts, 0),
      1,
    )
    t.regex(events.find(({ kind }) => kind === 'died')?.text ?? '', /^isolate [01] died: ./)
    await isolates.close()
  })
}

test('who connects while the only isolate is away waits for its successor', async (t) => {
  const { isolates, died, address } = await run({ count: 1 })
  await call(address, -2n).catch(() => undefined)
  await eventually(() => died() === 1)
  t.is((await threads(address)).length, 1)
  await isolates.close()
})

test('the waits grow, and connections meanwhile go to the others', async (t) => {
  const control = shared()
  const { isolates, events, died, address } = await run({ restart: { min: '300ms', max: '1s' }, control })
  Atomics.store(control, 0, 1)
  await call(address, -2n).catch(() => undefined)
  await eventually(() => died() >= 3)
  let stop = false
  const calls = keepCalling(address, 4, () => stop)
  await Promise.all([sleep(300), call(address)])
  stop = true
  const { answered, failures } = await calls
  t.deepEqual(failures, [])
  t.true(answered > 0)
  Atomics.store(control, 0, 0)
  await eventually(async () => (await isolates.stats()).isolates.every(({ state }) => state === 'listening'))
  await eventually(async () => (await threads(address)).length === 2)
  t.true(events.some(({ kind }) => kind === 'waiting'))
  await isolates.close()
})

test('a successor that takes long to start does not keep connections waiting', async (t) => {
  const control = shared()
  const { isolates, died, address } = await run({ control })
  Atomics.store(control, 0, 2)
  await call(address, -2n).catch(() => undefined)
  await eventually(() => died() === 1)
  const began = Date.now()
  for (let n = 0; n < 64; n += 1) await call(address)
  t.true(Date.now() - began < 10_000, 'the others have them all, after a moment')
  Atomics.store(control, 0, 0)
  await isolates.close({ grace: 0 })
})

test('a reload replaces every isolate, and no new connection is refused', async (t) => {
  const { isolates, events, address } = await run()
  const before = await threads(address)
  let stop = false
  const calls = keepCalling(address, 8, () => stop)
  await isolates.reload()
  await isolates.reload()
  stop = true
  const { answered, failures } = await calls
  t.deepEqual(failures, [])
  t.true(answered > 0)
  const after = await threads(address)
  t.is(after.length, 2)
  t.true(after.every((thread) => !before.includes(thread)))
  t.is(events.filter(({ kind }) => kind === 'replaced').length, 4)
  await isolates.close()
})

for (const mode of ['pool', 'pipelined'] as const) {
  test(`a reload moves connections over: no call of a ${mode} client fails`, async (t) => {
    const { isolates, address } = await run()
    let stop = false
    const calls = keepBusy(address, mode, 16, () => stop)
    const all = mode === 'pool' ? 16 : 1
    await eventually(async () => (await isolates.stats()).connections === all)
    const before = await isolates.stats()
    await isolates.reload()
    await isolates.reload()
    // On their way from one to another they are counted nowhere.
    await eventually(async () => (await isolates.stats()).connections === all)
    await sleep(100)
    const after = await isolates.stats()
    stop = true
    const { answered, failures } = await calls
    t.deepEqual(failures, [])
    t.true(answered > 0)
    t.is(after.connections, before.connections, 'they are the same connections')
    await isolates.close()
  })
}

test('a reload whose successors do not come up leaves everything as it is', async (t) => {
  const control = shared()
  const { isolates, address } = await run({ control })
  const before = [...(await threads(address))].sort()
  Atomics.store(control, 0, 1)
  const error = await t.throwsAsync(isolates.reload(), { instanceOf: VoloError })
  t.regex(error.message, /ended before it listened, with told not to start/)
  t.deepEqual([...(await threads(address))].sort(), before)
  await isolates.close()
})

test('an isolate that ends as soon as it listens does not stay away', async (t) => {
  const control = shared()
  const { isolates, address } = await run({ count: 1, control })
  Atomics.store(control, 0, 4)
  await isolates.reload().catch(() => undefined)
  Atomics.store(control, 0, 0)
  t.not(await Promise.race([call(address), sleep(20_000, 'nobody', { ref: false })]), 'nobody')
  await isolates.close()
})

test('a module that fails in one isolate is told before the others have come up', async (t) => {
  const control = shared()
  Atomics.store(control, 0, 3)
  const told = await Promise.race([
    run({ control }).then(() => 'came up', String),
    sleep(20_000, 'late', { ref: false }),
  ])
  t.regex(told, /ended before it listened, with told not to start/)
})

test('closing while a successor starts ends it too, and nothing comes back', async (t) => {
  const control = shared()
  const { isolates, events, died, address } = await run({ count: 1, control })
  Atomics.store(control, 0, 2)
  const reload = isolates.reload().catch(() => 'given up')
  await call(address, -2n).catch(() => undefined)
  await eventually(() => died() === 1)
  await isolates.close()
  t.is(await Promise.race([reload, sleep(10_000, 'too long', { ref: false })]), 'given up')
  const [{ state, restarts }] = (await isolates.stats()).isolates
  t.deepEqual({ state, restarts }, { state: 'closed', restarts: 0 })
  t.false(events.some(({ kind }) => kind === 'failed'))
})

test('closing while a predecessor drains waits for it', async (t) => {
  const control = shared()
  const { isolates, events, address } = await run({ count: 1, control })
  const slow = call(address, -6n)
  await eventually(async () => (await isolates.stats()).inFlight === 1)
  const reload = isolates.reload()
  await eventually(() => events.filter(({ kind }) => kind === 'listening').length === 2)
  await isolates.close()
  t.is(Atomics.load(control, 1), 0, 'isolates that run')
  await t.notThrowsAsync(slow)
  await reload
})

test('a module that does not come to listen is told at once', async (t) => {
  const control = shared()
  Atomics.store(control, 0, 1)
  const error = await t.throwsAsync(run({ control }), { instanceOf: VoloError })
  t.regex(error.message, /isolate [01] ended before it listened, with told not to start/)
  t.is((error.cause as Error).message, 'told not to start')
  const { isolates, address } = await run({ count: 1 })
  const taken = await t.throwsAsync(run({ address, count: 1 }))
  t.regex(taken.message, /cannot listen on .*choose another address/)
  await isolates.close()
})

test('calls in flight finish when all close, and the grace time ends those that do not', async (t) => {
  const { isolates, address } = await run()
  const slow = call(address, -6n)
  await eventually(async () => (await isolates.stats()).inFlight === 1)
  await isolates.close()
  await t.notThrowsAsync(slow)

  const again = await run()
  const tooSlow = call(again.address, -6n)
  await eventually(async () => (await again.isolates.stats()).inFlight === 1)
  await again.isolates.close({ grace: '10ms' })
  await t.throwsAsync(tooSlow, { instanceOf: VoloError })
})

test('counters of an isolate that is busy are those it said last', async (t) => {
  const { isolates, address } = await run({ count: 1 })
  await call(address)
  t.is((await isolates.stats()).calls, 1)
  const busy = call(address, -4n).then(() => 'the isolate')
  await sleep(50)
  const stats = await Promise.race([isolates.stats(), busy])
  t.is(typeof stats === 'string' ? stats : stats.calls, 1)
  await busy
  await isolates.close()
})

test('options that make no sense are told', async (t) => {
  for (const count of [0, 1.5, -1, 2000]) {
    await t.throwsAsync(runIsolates(module, { count }), { message: /count is/ })
  }
  await t.throwsAsync(runIsolates(module, { grace: 'soon' as '1s' }), { message: /grace is 'soon'/ })
})
