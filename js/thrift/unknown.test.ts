import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import test from 'ava'

import {
  Client,
  exceptionsOf,
  json,
  loadThrift,
  Server,
  TapeTypeError,
  type GenericService,
  type LoadThriftOptions,
  type ThriftProtocol,
} from './index.js'

const OLDER = `
  enum Colour { RED = 1 }
  struct Leaf { 1: required i64 id }
  union Choice { 1: string text, 2: Leaf leaf }
  struct Parcel { 1: required string name, 4: optional Leaf leaf, 5: list<Leaf> leaves, 6: map<string, Leaf> named, 7: Choice choice, 8: list<Choice> choices }
  exception Refused { 1: string reason }
  service Post { Parcel Send(1: Parcel parcel) throws (1: Refused refused) }
`
const NEWER = `
  enum Colour { RED = 1, BLUE = 2 }
  struct Stamp { 1: required uuid id, 2: map<i32, set<string>> marks, 3: optional Stamp inner }
  struct Leaf { 1: required i64 id, 2: optional Colour colour, 3: list<bool> veins, 300: double weight }
  union Choice { 1: string text, 2: Leaf leaf, 3: Stamp stamp, 4: i64 number }
  struct Parcel {
    1: required string name, 2: binary seal, 3: optional Stamp stamp, 4: optional Leaf leaf, 5: list<Leaf> leaves, 6: map<string, Leaf> named,
    7: Choice choice, 8: list<Choice> choices, -3: i8 tiny, 4000: list<map<string, Stamp>> deep
  }
  exception Refused { 1: string reason, 2: Stamp stamp }
  service Post { Parcel Send(1: Parcel parcel) throws (1: Refused refused) }
`

async function load(text: string, options: LoadThriftOptions = {}, name = 'Post'): Promise<GenericService> {
  const folder = await mkdtemp(join(tmpdir(), 'volo-js-'))
  try {
    await writeFile(join(folder, 'post.thrift'), text)
    return (await loadThrift(join(folder, 'post.thrift'), options))[name]
  } finally {
    await rm(folder, { recursive: true })
  }
}

const stamp = (depth: number): object => ({
  id: '00112233-4455-6677-8899-aabbccddeeff',
  marks: new Map([[7, new Set(['a', 'żółw'])]]),
  inner: depth === 0 ? undefined : stamp(depth - 1),
})
const leaf = (id: bigint): object => ({ id, colour: 2, veins: [true, false, true], weight: -0.5 })
const parcel = {
  name: 'all of it',
  seal: new Uint8Array([0, 255, 10]),
  stamp: stamp(2),
  leaf: leaf(1n),
  leaves: [leaf(2n), leaf(3n)],
  named: { north: leaf(4n) },
  choice: { case: 'stamp', value: stamp(0) },
  choices: [
    { case: 'number', value: 5n },
    { case: 'text', value: 'known' },
    { case: 'leaf', value: leaf(6n) },
  ],
  tiny: -8,
  deep: [{ a: stamp(0) }, {}],
}

/** What the caller speaks, and what the one in the middle speaks to the last. */
const ways = [
  ['binary', 'binary'],
  ['compact', 'compact'],
  ['json', 'json'],
  ['binary', 'compact'],
  ['compact', 'json'],
  ['json', 'binary'],
] as const satisfies readonly (readonly [ThriftProtocol, ThriftProtocol])[]

/** A server with the newer IDL, and one with the older in front of it, which passes on what it reads. */
async function chain(older: GenericService, behind: ThriftProtocol) {
  const newer = await load(NEWER)
  const { Refused } = exceptionsOf(newer)
  const last = await Server.of(newer, {
    send: (it) => {
      if (it.name === 'refuse') throw new Refused({ reason: 'no', stamp: stamp(1) })
      return it
    },
  }).listen('127.0.0.1:0')
  const onwards = Client.of(older, 'last').protocol(behind).address(last.address).build()
  const seen: Record<string, unknown>[] = []
  const middle = await Server.of(older, {
    send: async (it) => {
      seen.push(it)
      return onwards.send(it)
    },
  }).listen('127.0.0.1:0')
  return {
    newer,
    middle,
    seen,
    async [Symbol.asyncDispose]() {
      await Client.close(onwards)
      await Promise.all([middle.close(), last.close()])
    },
  }
}

for (const codegen of [true, false]) {
  for (const [before, behind] of ways) {
    test(`what an older IDL does not know passes, ${before} to ${behind}, codegen ${codegen}`, async (t) => {
      await using it = await chain(await load(OLDER, { keepUnknown: true, codegen }), behind)
      await using client = Client.of(it.newer, 'middle').protocol(before).address(it.middle.address).build()
      // A binary that nobody knows is text in JSON, base64 as it came, and stays that elsewhere.
      const seal = before !== behind && [before, behind].includes('json') ? undefined : parcel.seal
      t.deepEqual(await client.send({ ...parcel, seal }), { ...parcel, seal })
      const [{ $unknown, leaves, choice, choices }] = it.seen
      t.true($unknown instanceof Uint8Array)
      t.true((leaves as { $unknown?: unknown }[]).every((one) => one.$unknown instanceof Uint8Array))
      t.like(choice, { case: undefined, value: undefined })
      t.deepEqual(
        (choices as object[])[1],
        { case: 'text', value: 'known' },
        'nothing is kept where nothing is unknown',
      )

      const { Refused } = exceptionsOf(it.newer)
      const error = await t.throwsAsync(client.send({ name: 'refuse' }), { instanceOf: Refused })
      t.like(error, { reason: 'no', stamp: stamp(1) })
    })
  }
}

test('where nothing is asked for nothing is kept', async (t) => {
  await using it = await chain(await load(OLDER), 'binary')
  await using client = Client.of(it.newer, 'middle').address(it.middle.address).build()
  const { choice: _, choices: __, ...rest } = parcel
  const passed = await client.send(rest)
  t.deepEqual(passed.leaf, { id: 1n, colour: undefined, veins: undefined, weight: undefined })
  t.false('$unknown' in it.seen[0])
})

test('objects whose fields are all known are as they are without', async (t) => {
  await using it = await chain(await load(OLDER, { keepUnknown: true }), 'compact')
  await using client = Client.of(it.newer, 'middle').address(it.middle.address).build()
  await client.send({ name: 'plain', leaf: { id: 1n }, choice: { case: 'text', value: '' } })
  t.deepEqual(it.seen, [
    {
      name: 'plain',
      leaf: { id: 1n },
      leaves: undefined,
      named: undefined,
      choice: { case: 'text', value: '' },
      choices: undefined,
    },
  ])
})

test('services that keep and services that do not share a server', async (t) => {
  const keeping = await load(OLDER, { keepUnknown: true })
  const passing = await load(OLDER.replaceAll('Post', 'Other').replaceAll('Send', 'Drop'), {}, 'Other')
  const newer = await load(NEWER)
  const newerOther = await load(NEWER.replaceAll('Send', 'Drop'))
  const seen: Record<string, unknown>[] = []
  for (const order of [
    [keeping, passing],
    [passing, keeping],
  ]) {
    const server = new Server()
    for (const service of order) {
      if (service === keeping) server.add(keeping, { send: (it) => it })
      else server.add(passing, { drop: (it) => (seen.push(it), it) })
    }
    const handle = await server.listen('127.0.0.1:0')
    await using client = Client.of(newer, 'both').address(handle.address).build()
    await using other = Client.of(newerOther, 'both').address(handle.address).build()
    t.deepEqual(await client.send(parcel), parcel as Record<string, unknown>)
    await other.drop({ ...parcel, choice: undefined, choices: undefined })
    t.false('$unknown' in (seen.at(-1) as object))
    await handle.close()
  }
})

test('compact messages that grow when they are kept find room on the tape', async (t) => {
  const service = 'service Post { Parcel Send(1: Parcel parcel) }'
  const newer = await load(`struct Parcel { 2: list<i64> many } ${service}`)
  const older = await load(`struct Parcel {} ${service}`, { keepUnknown: true })
  const server = await Server.of(older, { send: (it) => it })
    .options({ maxFrameSize: '16MiB' })
    .listen('127.0.0.1:0')
  await using client = Client.of(newer, 'last').protocol('compact').address(server.address).build()
  // A byte each where it travels, eight where it is kept.
  const many = new Array<bigint>(1_000_000).fill(1n)
  t.is(((await client.send({ many })).many as bigint[]).length, many.length)
  await server.close()
})

test('JSON shows what the IDL knows', async (t) => {
  const older = await load(OLDER, { keepUnknown: true })
  await using it = await chain(older, 'binary')
  await using client = Client.of(json(older), 'middle').address(it.middle.address).build()
  const sent = { name: 'json', leaf: { id: 1 }, choice: { text: 'a' } }
  t.deepEqual(await client.send(sent), sent)
  await t.throwsAsync(client.send({ ...sent, $unknown: '' }), { instanceOf: TapeTypeError })
})

test('what is written as unknown has to be fields of the binary protocol', async (t) => {
  await using it = await chain(await load(OLDER), 'binary')
  const older = await load(OLDER, { keepUnknown: true })
  await using client = Client.of(older, 'middle').address(it.middle.address).build()
  t.is((await client.send({ name: 'fine', $unknown: new Uint8Array([3, 0, 99, 7]) })).name, 'fine')
  const wrong = await t.throwsAsync(client.send({ name: 'wrong', $unknown: new Uint8Array([3, 0]) }))
  t.regex(wrong.message, /unknown|kept/i)
  await t.throwsAsync(client.send({ name: 'wrong', $unknown: 'text' }), {
    instanceOf: TapeTypeError,
    message: /Parcel\.\$unknown.*Uint8Array/,
  })
  await t.throwsAsync(client.send({ name: 'wrong', choice: { case: undefined } }), {
    instanceOf: TapeTypeError,
    message: /no case is set/,
  })
})
