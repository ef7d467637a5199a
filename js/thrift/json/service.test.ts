import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import test from 'ava'

import type { ServiceDescriptor } from '../../core/descriptor.js'
import { pair } from '../../testing/index.js'
import {
  Client,
  exceptionsOf,
  json,
  JsonException,
  jsonMethod,
  loadThrift,
  Server,
  type GenericService,
} from '../index.js'

const shop = `
  enum Colour { RED = 1, BLUE = 7 }
  struct Item {
    1: required i64 id,
    2: optional string title,
    3: string note = "none",
    4: optional map<i64, double> prices,
    5: optional set<Colour> colours,
    6: optional binary image,
    7: optional Choice choice,
    8: optional Item part,
    9: optional map<Colour, bool> by_colour,
    10: optional map<binary, i8> by_bytes,
    11: optional map<Key, string> by_key,
    12: optional string __proto__,
    13: optional uuid tag,
    14: required i32 size = 5,
  }
  struct Key { 1: i32 it }
  union Choice { 1: i32 number, 2: string text, 3: Key key }
  exception NotFound { 1: required i64 id, 2: optional string message }
  exception Denied { 1: optional Colour colour }
  service Shop {
    Item GetItem(1: Item item) throws (1: NotFound notFound, 2: Denied denied)
    i64 add(1: i64 left, 2: optional i64 right)
    string say(1: string text)
    void nothing()
    void check(1: i32 kind) throws (1: NotFound notFound)
    i64 maybe(1: optional i64 value)
    oneway void note(1: string text)
  }
  service Other { i64 twice(1: i64 it) }
`

let loaded: GenericService
let other: GenericService

test.before(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'volo-js-'))
  await writeFile(join(folder, 'shop.thrift'), shop)
  const services = await loadThrift(join(folder, 'shop.thrift'))
  loaded = services.Shop
  other = services.Other
  await rm(folder, { recursive: true })
})

/** Handlers that know no JSON. */
function typed(service: ServiceDescriptor): Record<string, (request: never) => unknown> {
  const { NotFound, Denied } = exceptionsOf(service)
  return {
    getItem: (item: { id: bigint }) => {
      if (item.id === 404n) throw new NotFound({ id: 2n ** 60n, message: 'gone' })
      if (item.id === 403n) throw new Denied({ colour: 7 })
      return item
    },
    add: ({ left, right }: { left: bigint; right?: bigint }) => left + (right ?? 1n),
    say: (text: string) => text,
    nothing: () => undefined,
    check: (kind: number) => {
      if (kind === 1) throw new NotFound({ id: 1n })
    },
    maybe: (value?: bigint) => value ?? -1n,
    note: () => undefined,
  }
}

test('a client of JSON calls a server that knows none', async (t) => {
  await using it = await pair(loaded, typed(loaded) as never)
  await using client = Client.of(json(loaded), 'shop').address(it.server.address).build()
  t.deepEqual(await client.getItem({ id: 1, prices: { '5': 0.5, '-1': 'NaN' }, colours: [1, 'BLUE', 9] }), {
    id: 1,
    note: 'none',
    prices: { '5': 0.5, '-1': 'NaN' },
    colours: [1, 7, 9],
    size: 5,
  })
  t.is(await client.add({ left: '9007199254740992', right: 1 }), '9007199254740993')
  t.is(await client.add({ left: 1n }), 2)
  t.is(await client.say('x'), 'x')
  t.is(await client.nothing(), null)
  t.is(await client.check(0), null)
  t.is(await client.maybe(null), -1)
  t.is(await client.note('x'), null)
  t.deepEqual(it.errors, [])
})

test('declared exceptions reach a client as JSON', async (t) => {
  await using it = await pair(loaded, typed(loaded) as never)
  await using client = Client.of(json(loaded), 'shop').address(it.server.address).build()
  const error = await t.throwsAsync(client.getItem({ id: 404 }), { instanceOf: JsonException })
  t.like(error, { exception: 'NotFound', json: { id: '1152921504606846976', message: 'gone' } })
  t.is(error.message, 'NotFound {"id":"1152921504606846976","message":"gone"}')
  t.true(error.cause instanceof exceptionsOf(loaded).NotFound)
  t.like(await t.throwsAsync(client.getItem({ id: 403 })), { exception: 'Denied', json: { colour: 7 } })
  t.like(await t.throwsAsync(client.check(1)), { exception: 'NotFound', json: { id: 1 } })
})

test('handlers take and give JSON, and throw it', async (t) => {
  const { NotFound } = exceptionsOf(loaded)
  const seen: unknown[] = []
  await using it = await pair(json(loaded), {
    getItem: (item) => {
      seen.push(item)
      const { id } = item as { id: number }
      if (id === 1) throw new JsonException('NotFound', { id: '5' })
      if (id === 2) throw new NotFound({ id: 6n })
      if (id === 3) throw new JsonException('Missing', {})
      if (id === 4) throw new JsonException('NotFound', { id: 'x' })
      return id === 5 ? { id: 'x' } : { id: String(id), unknown: null, title: 'é' }
    },
    add: (request) => (request as { left: number }).left,
    say: (text) => text,
    nothing: () => null,
    check: () => null,
    maybe: (value) => value ?? 7,
    note: (text) => {
      seen.push(text)
      return null
    },
  })
  await using client = Client.of(loaded, 'shop').address(it.server.address).build()
  const call = client.getItem as (item: object) => Promise<unknown>
  t.like(await t.throwsAsync(call({ id: 1n, choice: { case: 'key', value: { it: 3 } } }), { instanceOf: NotFound }), {
    id: 5n,
  })
  t.deepEqual(seen, [{ id: 1, note: 'none', choice: { key: { it: 3 } }, size: 5 }])
  t.like(await t.throwsAsync(call({ id: 2n }), { instanceOf: NotFound }), { id: 6n })
  t.deepEqual(it.errors, [])
  for (const id of [3n, 4n, 5n, 6n]) await t.throwsAsync(call({ id }), { message: /internal error in Shop\.GetItem/ })
  t.deepEqual(
    it.errors.map((error) => (error as Error).message),
    [
      'Missing {}',
      'NotFound.id: expected an integer of 64 bits, got string "x"',
      'Item.id: expected an integer of 64 bits, got string "x"',
      'Item: it has no field "unknown"',
    ],
  )
  t.is(await (client.maybe as (value: unknown) => Promise<unknown>)(null), 7n)
})

test('text keeps every digit, the order of maps, and the sign of zero', async (t) => {
  const service = json(loaded, {
    text: true,
    i64: 'number',
    enumAsName: true,
    binary: 'utf8',
    ignoreUnknownFields: true,
  })
  const handlers = typed(loaded)
  await using it = await pair(loaded, handlers as never)
  await using client = Client.of(service, 'shop').address(it.server.address).build()
  const text =
    '{"id":9007199254740993,"note":"n","prices":{"10":-0,"1":1e+300},"colours":["BLUE",3],"image":"é",' +
    '"by_colour":{"RED":true,"-4":false},"by_bytes":{"k":-128},"__proto__":"p","tag":"123e4567-e89b-12d3-a456-426614174000","size":0}'
  t.is(await client.getItem(` ${text.replace('"size"', '"unknown" : [{}], "size"')} `), text)
  t.is(await client.add('{"left": 9223372036854775806, "right": 1}'), '9223372036854775807')
  t.is(await client.say('"\\ud83d\\ude00"'), '"😀"')
  t.is(await client.nothing('{}'), 'null')
  t.is(await client.note('"x"'), 'null')
  const error = await t.throwsAsync(client.getItem('{"id":404}'), { instanceOf: JsonException })
  t.is(error.json as unknown, '{"id":1152921504606846976,"message":"gone"}')
  await t.throwsAsync(client.getItem('{"id":1'), {
    message: "Item: no JSON: expected ',' or '}' at character 7, but it ends",
  })
  await t.throwsAsync(client.getItem({ id: 1 } as never), { message: 'Item: expected string, got object' })
})

test('text is what handlers take and give', async (t) => {
  const service = json(loaded, { text: true })
  const echo = (text: string): string => text
  await using it = await pair(service, {
    getItem: () => {
      throw new JsonException('Denied', '{"colour":"RED"}')
    },
    add: () => '9007199254740993',
    say: echo,
    nothing: echo,
    check: echo,
    maybe: echo,
    note: echo,
  })
  await using client = Client.of(loaded, 'shop').address(it.server.address).build()
  t.like(await t.throwsAsync(client.getItem({ id: 1n })), { name: 'Denied', colour: 1 })
  const sum: unknown = await client.add({ left: 1n })
  t.is(sum, 9007199254740993n)
})

test('services with and without JSON of one build stand on one address', async (t) => {
  await using server = await new Server()
    .add(json(loaded), typed(loaded) as never)
    .add(other, { twice: (it) => (2n * (it as never as bigint)) as never })
    .listen('memory:json-beside')
  await using one = Client.of(json(loaded), 'shop').address(server.address).build()
  await using two = Client.of(json(other), 'other').address(server.address).build()
  t.is(await one.say('x'), 'x')
  t.is(await two.twice(2 ** 52), '9007199254740992')
})

test('only services of Thrift have this form, and only methods that they have', (t) => {
  t.throws(() => json({ ...loaded, protocol: 'grpc' } as never), { message: /^Shop is no service of Thrift/ })
  t.throws(() => jsonMethod(loaded, 'toString'), { message: 'Shop has no method "toString"' })
})

test('JSON that does not fit is refused before it is sent, with its place', (t) => {
  const { request } = jsonMethod(loaded, 'getItem')
  let deep: Record<string, unknown> = { id: 1 }
  for (let depth = 0; depth < 200; depth++) deep = { id: 1, part: deep }
  const cyclic: Record<string, unknown> = { id: 1 }
  cyclic.part = cyclic
  const wrong: [json: unknown, message: string | RegExp][] = [
    [null, 'Item: expected an object, got null'],
    [[], 'Item: expected an object, got array'],
    [{}, 'Item.id: required value is absent'],
    [{ id: null }, 'Item.id: required value is absent'],
    [{ id: 1.5 }, 'Item.id: expected an integer of 64 bits, got number 1.5'],
    [{ id: 2 ** 63 }, 'Item.id: expected an integer of 64 bits, got number 9223372036854776000'],
    [{ id: '9223372036854775808' }, 'Item.id: expected an integer of 64 bits, got string "9223372036854775808"'],
    [{ id: true }, 'Item.id: expected an integer of 64 bits, got boolean true'],
    [{ id: 1, size: 2 ** 31 }, 'Item.size: expected an integer of 32 bits, got number 2147483648'],
    [{ id: 1, title: 1 }, 'Item.title: expected a string, got number 1'],
    [{ id: 1, title: '\ud800' }, 'Item.title: the string has half of a surrogate pair'],
    [{ id: 1, none: 1 }, 'Item: it has no field "none"'],
    [{ id: 1, toString: 1 }, 'Item: it has no field "toString"'],
    [{ id: 1, prices: { x: 1 } }, 'Item.prices key: expected an integer of 64 bits, got string "x"'],
    [{ id: 1, prices: { 1: null } }, 'Item.prices["1"]: an element cannot be null'],
    [{ id: 1, prices: { 1: 1, '1.0': 2 } }, 'Item.prices["1.0"]: the key is there twice, written in two ways'],
    [{ id: 1, by_bytes: { 'YQ==': 1, YQ: 2 } }, 'Item.by_bytes["YQ"]: the key is there twice, written in two ways'],
    [{ id: 1, by_bytes: { YQ: 128 } }, 'Item.by_bytes["YQ"]: expected an integer of 8 bits, got number 128'],
    [{ id: 1, by_colour: { GREEN: true } }, 'Item.by_colour key: Colour has no member "GREEN"'],
    [{ id: 1, prices: { 1: 'x' } }, 'Item.prices["1"]: expected a number, got string "x"'],
    [{ id: 1, prices: { 1: 'Infinit' } }, 'Item.prices["1"]: expected a number, got string "Infinit"'],
    [{ id: 1, colours: ['GREEN'] }, 'Item.colours[0]: Colour has no member "GREEN"'],
    [{ id: 1, colours: [2 ** 31] }, 'Item.colours[0]: expected a name or a number of Colour, got number 2147483648'],
    [{ id: 1, colours: {} }, 'Item.colours: expected an array, got object'],
    [{ id: 1, image: 'a' }, 'Item.image: expected a string of base64, got string "a"'],
    [{ id: 1, tag: 'x' }, 'Item.tag: expected a uuid such as 123e4567-e89b-12d3-a456-426614174000, got string "x"'],
    [{ id: 1, choice: {} }, 'Item.choice: no case is set; a union has exactly one'],
    [{ id: 1, choice: { number: null } }, 'Item.choice: no case is set; a union has exactly one'],
    [{ id: 1, choice: { number: 1, text: '' } }, 'Item.choice: more than one case is set; a union has exactly one'],
    [{ id: 1, choice: { other: 1 } }, 'Item.choice: it has no field "other"'],
    [{ id: 1, choice: { key: { it: '' } } }, 'Item.choice.key.it: expected an integer of 32 bits, got string ""'],
    [{ id: 1, by_key: {} }, 'Item.by_key: JSON has no form for a map<Key, string>; keys have to be scalars or enums'],
    [deep, /^Item(\.part){100}: nested deeper than 100 levels$/],
    [cyclic, /: nested deeper than 100 levels$/],
  ]
  for (const [given, message] of wrong) {
    t.throws(() => request.fromJson(given as never), { message })
  }
  const { request: several } = jsonMethod(loaded, 'add')
  t.throws(() => several.fromJson({ right: 1 }), { message: 'Shop.add(left): required argument is absent' })
  t.throws(() => several.fromJson({ left: '' }), {
    message: 'Shop.add(left): expected an integer of 64 bits, got string ""',
  })
  t.throws(() => several.fromJson({ left: 1, middle: 1 }), { message: 'Shop.add: it has no field "middle"' })
  const lenient = jsonMethod(loaded, 'getItem', { ignoreUnknownFields: true }).request
  t.deepEqual(lenient.fromJson({ id: 1, none: 1, choice: { other: 1, number: 2 } }) as unknown, {
    id: 1n,
    choice: { case: 'number', value: 2 },
  })
})

test('values that the IDL does not allow, or JSON has no form for, are refused with their place', (t) => {
  const { response } = jsonMethod(loaded, 'getItem', { binary: 'utf8' })
  const wrong: [value: unknown, message: string][] = [
    [undefined, 'Item: required value is absent'],
    [{}, 'Item.id: required value is absent'],
    [{ id: 1 }, 'Item.id: expected bigint, got number 1; write 1n'],
    [
      { id: 1n, image: new Uint8Array([0xff]) },
      "Item.image: the bytes are no UTF-8; binary: 'base64' has a form for them",
    ],
    [{ id: 1n, prices: {} }, 'Item.prices: expected Map, got object; write new Map(entries)'],
    [{ id: 1n, prices: new Map([[1, 1]]) }, 'Item.prices key: expected bigint, got number 1; write 1n'],
    [{ id: 1n, prices: new Map([[1n, '']]) }, 'Item.prices["1"]: expected number, got string ""'],
    [{ id: 1n, colours: [1] }, 'Item.colours: expected Set, got array; write new Set(array)'],
    [{ id: 1n, choice: { case: 'other' } }, 'Item.choice: it has no case string "other"'],
    [
      { id: 1n, choice: { case: 'number', value: 0.5 } },
      'Item.choice.number: expected an integer from -2147483648 to 2147483647 (i32), got number 0.5',
    ],
    [
      { id: 1n, by_key: new Map() },
      'Item.by_key: JSON has no form for a map<Key, string>; keys have to be scalars or enums',
    ],
  ]
  for (const [value, message] of wrong) t.throws(() => response.toJson(value as never), { message })
  // A newer peer may have sent a case that is not known here.
  t.deepEqual(response.toJson({ id: 1n, choice: { case: undefined } }), { id: 1, choice: {}, size: 5 })
})

test('integers of 64 bits take the form that is asked for', (t) => {
  const values = [0n, 2n ** 53n - 1n, -(2n ** 53n), 2n ** 63n - 1n]
  const { response } = jsonMethod(loaded, 'add')
  t.deepEqual(
    values.map((value) => response.toJson(value as never)),
    [0, 9007199254740991, '-9007199254740992', '9223372036854775807'],
  )
  const { response: strings } = jsonMethod(loaded, 'add', { i64: 'string' })
  t.deepEqual(
    values.map((value) => strings.toJson(value as never)),
    ['0', '9007199254740991', '-9007199254740992', '9223372036854775807'],
  )
  const { response: digits } = jsonMethod(loaded, 'add', { text: true, i64: 'number' })
  t.deepEqual(
    values.map((value) => digits.toJson(value as never)),
    ['0', '9007199254740991', '-9007199254740992', '9223372036854775807'],
  )
  const { response: text } = jsonMethod(loaded, 'add', { text: true })
  t.deepEqual(
    values.map((value) => text.toJson(value as never)),
    ['0', '9007199254740991', '"-9007199254740992"', '"9223372036854775807"'],
  )
})
