/** Calls every method of Estate and Annex and compares: the same calls for every server and form. */
import { setTimeout as wait } from 'node:timers/promises'
import type { ExecutionContext } from 'ava'
import {
  BizError,
  layerFn,
  ThriftApplicationError,
  ThriftApplicationErrorType,
  VoloError,
  type Client,
  type ThriftContext,
} from 'volo-js/thrift'
import { Annex, Estate, Kind, Missing, Nowhere, Refused, type Parcel } from '../../volo-gen/estate/index.js'
import { difference } from '../canonical.js'
import type { Form } from './peers.js'
import { CALLER, connect } from './service.js'

export interface Calls {
  readonly t: ExecutionContext
  /** Of the server that is called. */
  readonly address: string
  readonly form: Form
}

/** Persistent values as `meta` returns them; their keys keep their case. */
const persistent = { 'persistent:Tenant': 'Zürich', 'persistent:trace-id': '4711', 'persistent:UPPER_CASE': 'x' }

/** Sends those, and a transient value. */
const carrying = layerFn<ThriftContext>('carrying', (cx, req, next) => {
  for (const [key, value] of Object.entries(persistent)) cx.metainfo.persistent.set(key.replace(/^.*:/, ''), value)
  cx.metainfo.transient.set('Shard', '7')
  return next(cx, req)
})

const place = { x: -2147483648, y: 2147483647 }

const parcel: Parcel = {
  tiny: -128,
  small: 32767,
  number: -1,
  large: -(2n ** 63n),
  fraction: 5e-324,
  text: 'ü 日本語 🎈 \0 inside',
  data: Uint8Array.of(0, 128, 255),
  kind: Kind.GATE,
  place,
  places: [place, { x: 0, y: 1 }],
  sizes: { small: 1n, large: 2n ** 53n + 1n },
  numbers: new Set([0, -1, 2147483647]),
  names: new Map([[7, ['a', '']]]),
}

const parcels: readonly Parcel[] = [
  parcel,
  { ...parcel, places: [], sizes: {}, numbers: new Set(), names: new Map(), data: new Uint8Array(), text: '' },
  { ...parcel, remark: '', kind: 12345 as Kind, inner: { ...parcel, remark: 'one', inner: parcel } },
]

const LARGEST = 3_000_000
// Made once, by a loop: `Uint8Array.from` takes half a second for so many, in which nobody is served.
const blob = new Uint8Array(LARGEST)
for (let index = 0; index < LARGEST; index += 1) blob[index] = index * 7

/** What needs nothing beside the call. */
export async function plain(it: Calls): Promise<void> {
  await using estate = connect(Estate, 'estate', it.address, it.form).build()
  for (const size of [0, 1, 65_535, 65_536, LARGEST]) {
    const data = blob.subarray(0, size)
    it.t.is(Buffer.compare(await estate.blob(data), data), 0, `${size} bytes`)
  }
  await failures(it.t, estate)
  await notes(it.t, estate)
  it.t.is(await estate.sleep(20), 20)
  const late = await it.t.throwsAsync(estate.sleep(500, { timeout: '100ms' }), { instanceOf: VoloError })
  it.t.is(late.code, 'DEADLINE_EXCEEDED')
  it.t.is(await estate.who(), 'Estate', 'a call that took too long is no other one')
}

/** Apart from the rest: not every peer can read any struct in every protocol. */
export async function structs({ t, address, form }: Calls): Promise<void> {
  await using estate = connect(Estate, 'estate', address, form).build()
  for (const value of parcels) t.is(difference(await estate.echo(value), value), undefined)
  for (const locked of [undefined, true, false]) {
    for (const open of [true, false]) {
      const gate = { open, name: 'north', locked, bars: [true, false, true] }
      t.is(difference(await estate.turn(gate), { ...gate, open: !open }), undefined)
    }
  }
}

async function failures(t: ExecutionContext, estate: Client<typeof Estate>): Promise<void> {
  t.is(await estate.fail('nothing'), 'fine')
  t.like(await t.throwsAsync(estate.fail('missing'), { instanceOf: Missing }), { what: 'missing' })
  t.like(await t.throwsAsync(estate.fail('refused'), { instanceOf: Refused }), { reason: 'refused', level: 3 })
  const broken = await t.throwsAsync(estate.fail('broken'), { instanceOf: ThriftApplicationError })
  t.is(broken.type, ThriftApplicationErrorType.INTERNAL_ERROR)
  t.regex(broken.message, /broken/)
  t.is(broken.sent, 'yes')
  t.is(await estate.fail('nothing'), 'fine', 'the connection, or another one, goes on')
}

async function notes(t: ExecutionContext, estate: Client<typeof Estate>): Promise<void> {
  const sent = ['a', 'b', 'c']
  for (const text of sent) t.is(await estate.note(text), undefined)
  // Nothing tells when a oneway call has been handled, least of all one that went over another connection.
  const heard = await estate.notes()
  for (let tries = 0; tries < 200 && heard.length < sent.length; tries += 1) {
    await wait(10)
    heard.push(...(await estate.notes()))
  }
  t.deepEqual(heard.sort(), sent)
}

/** Calls at once, of which the first take longest, so that multiplexed answers come in another order. */
export async function together({ t, address, form }: Calls): Promise<void> {
  await using estate = connect(Estate, 'estate', address, form).build()
  const times = Array.from({ length: 40 }, (_, call) => 2 * (40 - call))
  t.deepEqual(await Promise.all(times.map((ms) => estate.sleep(ms))), times)
}

/** A service and a method that the server has not. */
export async function unknown({ t, address, form }: Calls, types: readonly number[]): Promise<void> {
  await using nowhere = connect(Nowhere, 'nowhere', address, form).build()
  const error = await t.throwsAsync(nowhere.nothing('text'), { instanceOf: ThriftApplicationError })
  t.true(types.includes(error.type), `type ${error.type}`)
}

/** Biz status errors. */
export async function biz({ t, address, form }: Calls): Promise<void> {
  await using estate = connect(Estate, 'estate', address, form).build()
  t.is(await estate.biz(0), 'fine')
  for (const code of [1, 404, -7, 1001, 2147483647]) {
    const error = await t.throwsAsync(estate.biz(code), { instanceOf: BizError })
    t.is(error.statusCode, code)
    t.regex(error.message, new RegExp(`biz ${code}`))
    t.deepEqual({ ...error.extra }, code < 1000 ? {} : { reason: `${code}` })
  }
  t.is(await estate.biz(0), 'fine')
}

/** Names, timeouts and values, there and back. */
export async function beside({ t, address, form }: Calls): Promise<void> {
  const seen: (string | undefined)[] = []
  const listening = layerFn<ThriftContext>('listening', async (cx, req, next) => {
    const response = await next(cx, req)
    seen.push(cx.metainfo.backward.get('server-says'))
    return response
  })
  {
    await using estate = connect(Estate, 'estate', address, form).layerOuter(listening).build()
    // Without a timeout none is sent.
    t.is(difference(await estate.meta(), { method: 'meta', caller: CALLER }), undefined)
  }
  t.deepEqual(seen, ['hello'])
  await using estate = connect(Estate, 'estate', address, form).layerOuter(carrying).build()
  const { timeout, ...rest } = await estate.meta({}, { timeout: '9876ms' })
  t.true(Number(timeout) <= 9876 && Number(timeout) > 4938, timeout)
  const expected = { method: 'meta', caller: CALLER, 'transient:Shard': '7', ...persistent }
  t.is(difference(rest, expected), undefined)
}

/** Persistent values go on to the server that a server calls; transient ones do not. */
export async function chain({ t, address, form }: Calls, next: string): Promise<void> {
  await using estate = connect(Estate, 'estate', address, form).layerOuter(carrying).build()
  const { timeout: _, ...rest } = await estate.chain(next)
  t.is(difference(rest, { method: 'meta', caller: 'estate', ...persistent }), undefined)
}

/** Two services have a method of that name. */
export async function services({ t, address, form }: Calls): Promise<void> {
  await using estate = connect(Estate, 'estate', address, form).build()
  await using annex = connect(Annex, 'annex', address, form).build()
  t.is(await estate.who(), 'Estate')
  t.is(await annex.who(), 'Annex')
  t.is(await annex.twice(21), 42)
}
