'use strict'
// Calls every method of tests/fixtures/everything.thrift that npm's thrift can call, and compares what comes back.

const { setTimeout: sleep } = require('node:timers/promises')
const { HOST, load, options } = require('./options.cjs')
const { samples } = require('./samples.cjs')
const { same } = require('./same.cjs')

const given = options({ rounds: 'string', seed: 'string' })
const { Int64, generated, thrift, wire } = load(given)
const Everything = generated('Everything')
const types = generated('everything_types')
const { Color, Denied, NotFound, Point } = types

/** A call that does not come back is a failure too. */
const TIMEOUT = 20_000

const connection = thrift.createConnection(HOST, given.port, wire)
connection.on('error', (error) => fail(error))
const client = thrift.createClient(Everything, connection)
let calls = 0
let seed = given.number('seed', 1)

function fail(error) {
  console.error(`everything-client: with --seed ${seed} after ${calls} calls: ${error?.message ?? error}`)
  process.exit(1)
}

async function call(name, ...args) {
  calls++
  const late = new AbortController()
  const timeout = sleep(TIMEOUT, undefined, { signal: late.signal }).then(
    () => Promise.reject(new Error(`${name} was not answered within ${TIMEOUT} ms`)),
    () => undefined,
  )
  try {
    return await Promise.race([client[name](...args), timeout])
  } finally {
    late.abort()
  }
}

const echo = async (name, value, set) => same(name, await call(name, value), value, set)

async function throws(name, kind, Type, expected) {
  try {
    await call(name, kind)
  } catch (error) {
    if (!(error instanceof Type)) throw new Error(`${name} ${kind} threw ${error?.constructor?.name}: ${error}`)
    if (expected) same(`${name} ${kind}`, { ...error }, expected)
    return
  }
  throw new Error(`${name} ${kind} returned and should have thrown ${Type.name}`)
}

async function random(seed) {
  const make = samples(types, Int64, seed)
  await echo('Ping', make.text())
  await echo('EchoAll', make.all())
  await echo('EchoNested', make.nested())
  await echo('EchoDefaults', make.defaults())
  await echo('EchoTree', make.tree())
  await echo('EchoUnion', make.choice())
  await echo('EchoAwkward', make.awkward())
  await echo('EchoBinary', make.blob())
  await echo('EchoList', make.texts())
  await echo('EchoMap', make.routes())
  await echo('EchoSet', make.numbers(), true)
  await echo('EchoEnum', make.color())
  await echo('toString', make.text())
  const s = make.scalars()
  s.at = s.long_number
  s.colour = s.color
  const args = [s.flag, s.tiny, s.small, s.short_number, s.number, s.long_number, s.fraction, s.text, s.data, s.color]
  same('EchoScalars', await call('EchoScalars', ...args), s)
}

async function fixed() {
  same('Not', await call('Not', true), false)
  same('Not', await call('Not', false), true)
  const int64 = (value) => {
    const buffer = Buffer.alloc(8)
    buffer.writeBigInt64BE(value)
    return new Int64(buffer)
  }
  for (const [a, b] of [
    [2n ** 63n - 1n, 0n],
    [-(2n ** 63n), 0n],
    [2n ** 53n, 1n],
    [-(2n ** 53n), -1n],
    [2n ** 32n, 2n ** 31n],
  ]) {
    same('Add', await call('Add', int64(a), int64(b)), int64(a + b))
  }
  for (const value of [1e308, 1e-323, Infinity, NaN]) {
    same('Half', await call('Half', value), value / 2)
  }
  same('Nothing', await call('Nothing'), undefined)
  await echo('EchoBinary', Buffer.from(Array.from({ length: 3_000_000 }, (_, n) => (n * 7) % 256)))
  await echo('EchoList', Array.from({ length: 50_000 }, (_, n) => `text ${n} ü`))
  await echo('EchoSet', Array.from({ length: 10_000 }, (_, n) => n * 3 - 5000), true)
  const keys = ['constructor', 'toString', '', '1', '01', '-1', 'length']
  await echo('EchoMap', Object.fromEntries(keys.map((key) => [key, [new Point({ x: 1, y: -1 })]])))
}

async function exceptions() {
  same('Fail 0', await call('Fail', 0), 'kind 0')
  await throws('Fail', 1, NotFound, { name: 'NotFound', what: 'kind 1', id: new Int64(1) })
  const denied = { name: 'Denied', reason: 'kind 2', color: Color.RED, needed: ['a', 'b'] }
  await throws('Fail', 2, Denied, denied)
  await throws('Fail', 3, thrift.Thrift.TApplicationException)
  await echo('Ping', 'still there')
  same('Check 0', await call('Check', 0), undefined)
  await throws('Check', 1, NotFound, { name: 'NotFound', what: 'kind 1' })
}

async function oneway() {
  const count = async () => (await call('Count')).buffer.readBigInt64BE()
  const before = await count()
  for (let n = 0; n < 3; n++) {
    calls++
    // The generated client makes a promise for a oneway call and never settles it.
    client.Notify(`event ${n}`)
  }
  const until = Date.now() + 2000
  while ((await count()) !== before + 3n) {
    if (Date.now() > until) throw new Error('three Notify calls were not counted within two seconds')
    await sleep(20)
  }
}

async function main() {
  const end = seed + given.number('rounds', 50)
  for (; seed < end; seed++) await random(seed)
  await fixed()
  await exceptions()
  await oneway()
  console.log(`ok ${calls} calls`)
  connection.end()
}

main().catch(fail)
