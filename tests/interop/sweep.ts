/** Calls every method with the limits of its types and compares: the same calls for every server, transport and way to make a client. */
import { setTimeout as wait } from 'node:timers/promises'
import type { ExecutionContext } from 'ava'
import { ThriftApplicationError, VoloError, type CallOptions } from 'volo-js/thrift'
import { difference } from './canonical.js'
import type { ExceptionClasses } from './handlers.js'
import type { Abilities } from './peers.js'
import * as samples from './samples.js'

/** A client of Everything or EverythingReserved, from generated code or IDL loaded at run time. */
export type Caller = Readonly<Record<string, (request?: unknown, options?: CallOptions) => Promise<unknown>>>

export interface Sweep {
  readonly t: ExecutionContext
  readonly client: Caller
  /** What declared exceptions are instances of. */
  readonly classes: ExceptionClasses
  readonly can: Abilities
}

export async function sweep(it: Sweep): Promise<void> {
  await echoes(it)
  await arithmetic(it)
  await exceptions(it)
  await oneway(it)
  if (it.can.reserved) await reserved(it)
}

async function gives(it: Sweep, method: string, request: unknown, expected: unknown): Promise<void> {
  const wrong = difference(await it.client[method](request), expected)
  if (wrong === undefined) it.t.pass()
  else it.t.fail(`${method}: ${wrong}`)
}

async function echoes(it: Sweep): Promise<void> {
  const names = it.can.proto ? [...samples.plainKeys, ...samples.prototypeKeys] : samples.plainKeys
  const cases: Record<string, readonly unknown[]> = {
    ping: samples.texts,
    toString: samples.texts,
    echoAll: samples.alls(names),
    echoNested: [samples.nested(names)],
    echoKeys: it.can.keys ? [samples.keys] : [],
    echoDefaults: samples.defaults,
    echoTree: [samples.tree(0), samples.tree(12)],
    echoUnion: samples.choices,
    echoAwkward: [samples.awkward],
    echoBinary: samples.blobs,
    echoList: [[], samples.texts, samples.largeTexts],
    echoMap: [{}, samples.record(names, (_, n) => [{ x: n, y: 1 - n }])],
    echoSet: [new Set(), new Set(samples.limits.i32)],
    echoEnum: [0, 1, 2, 7, 2147483647],
  }
  // All at once: on a pipelined connection answers of every size follow one another.
  await Promise.all(
    Object.entries(cases).flatMap(([method, values]) => values.map((value) => gives(it, method, value, value))),
  )
  for (const text of samples.largeTexts) await gives(it, 'ping', text, text)
  for (const s of samples.scalars) {
    const request = {
      a: s.flag,
      b: s.tiny,
      c: s.small,
      d: s.short_number,
      e: s.number,
      f: s.long_number,
      g: s.fraction,
      h: s.text,
      i: s.data,
      j: s.color,
    }
    await gives(it, 'echoScalars', request, { ...s, at: s.long_number, colour: s.color })
  }
}

async function arithmetic(it: Sweep): Promise<void> {
  await gives(it, 'not', true, false)
  await gives(it, 'not', false, true)
  for (const [a, b] of [
    [2n ** 63n - 1n, 0n],
    [-(2n ** 63n), 0n],
    [2n ** 53n, 1n],
    [-(2n ** 53n), -1n],
    [2n ** 32n, 2n ** 31n],
  ]) {
    await gives(it, 'add', { a, b }, a + b)
  }
  for (const value of it.can.zero ? [...samples.doubles, -0] : samples.doubles) {
    await gives(it, 'half', value, value / 2)
  }
  await gives(it, 'nothing', {}, undefined)
}

async function exceptions(it: Sweep): Promise<void> {
  const { t, client, classes } = it
  await gives(it, 'fail', 0, 'kind 0')
  const notFound = await t.throwsAsync(client.fail(1), { instanceOf: classes.NotFound })
  t.like(notFound, { name: 'NotFound', what: 'kind 1', id: 1n })
  const denied = await t.throwsAsync(client.fail(2), { instanceOf: classes.Denied })
  t.like(denied, { name: 'Denied', reason: 'kind 2', color: 1, needed: ['a', 'b'] })
  const internal = await t.throwsAsync(client.fail(3), { instanceOf: ThriftApplicationError })
  t.true(VoloError.is(internal))
  t.is(internal.sent, 'yes')
  await gives(it, 'ping', 'still there', 'still there')
  await gives(it, 'check', 0, undefined)
  const checked = await t.throwsAsync(client.check(1), { instanceOf: classes.NotFound })
  t.like(checked, { name: 'NotFound', what: 'kind 1' })
}

async function oneway(it: Sweep): Promise<void> {
  const before = (await it.client.count()) as bigint
  for (let n = 0; n < 3; n += 1) it.t.is(await it.client.notify(`event ${n} ü`), undefined)
  // Nothing tells when a oneway call has been handled, least of all one that went over another connection.
  let after = before
  for (let tries = 0; tries < 200 && after !== before + 3n; tries += 1) {
    if (tries > 0) await wait(10)
    after = (await it.client.count()) as bigint
  }
  it.t.is(after, before + 3n)
}

async function reserved(it: Sweep): Promise<void> {
  const id = '00112233-4455-6677-8899-aabbccddeeff'
  const none = '00000000-0000-0000-0000-000000000000'
  await gives(it, 'echoUuid', id, id)
  await gives(it, 'echoUuid', id.toUpperCase(), id)
  const uuids = {
    id,
    parent: none,
    children: [{ id: none, by_path: new Map() }],
    by_path: new Map([
      [[1, 2], 'one'],
      [[], 'none'],
    ]),
  }
  await gives(it, 'echoUuids', uuids, uuids)
  const words = { class: 1, delete: 2, then: 3, function: 4, var: 5, new: 6, this: 7, catch: 8, await: 9 }
  await gives(it, 'echoReserved', words, words)
  await gives(it, 'delete', 5, 5)
  await gives(it, 'then', -5, -5)
  await gives(it, 'constructor', { this: 40, var: 2 }, 42)
}
