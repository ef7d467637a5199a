import { join, relative } from 'node:path'
import process from 'node:process'
import test from 'ava'
import type { MethodDescriptor, ServiceDescriptor } from '../core/descriptor.js'
import { Kind } from '../core/tape/layout.js'
import { Relay } from '../core/tape/relay.test.helper.js'
import type { Schema } from '../schema/model.js'
import { parseThrift } from '../schema/parse.js'
import { generate } from './generate.js'
import { golden, matchesGolden, mistakesIn, named, root, writeGenerated, type Named } from './golden.test.helper.js'

const nasty = join(golden, 'nasty.thrift')

const generatedFrom = (idl: string): Named[] => named(parseThrift([idl]))

for (const [name, idl] of [
  ['item', join(root, 'examples/item.thrift')],
  ['nasty', nasty],
] as const) {
  test(`${name}.thrift becomes what stands in golden/${name}`, (t) => matchesGolden(t, name, generatedFrom(idl)))
}

const kept = join(golden, 'kept.thrift')

test('kept.thrift with keepUnknown becomes what stands in golden/kept', (t) =>
  matchesGolden(t, 'kept', named(parseThrift([kept]), { keepUnknown: true })))

test('declarations of what keeps unknown fields are what they promise', async (t) => {
  const folder = await writeGenerated(parseThrift([kept]), 'kept', { keepUnknown: true })
  t.deepEqual(await mistakesIn(folder, 'kept-expectations.ts'), [])
})

test('the same IDL gives the same bytes, wherever it lies', (t) => {
  t.deepEqual(generatedFrom(nasty), generatedFrom(relative(process.cwd(), nasty)))
  t.deepEqual(generatedFrom(nasty), generatedFrom(nasty))
})

test('names that two roots share are in namespaces, all others at the top', (t) => {
  const schema: Schema = {
    files: [
      { path: 'a/items.thrift', root: true },
      { path: 'b/items.thrift', root: true },
      { path: 'index.thrift', root: false },
    ],
    enums: [
      { name: 'Both', file: 0, members: [] },
      { name: 'Both', file: 1, members: [] },
      { name: 'OnlyOne', file: 1, members: [] },
      { name: 'Included', file: 2, members: [] },
    ],
    structs: [],
    methods: [],
    services: [],
  }
  const index = generate(schema)
    .find((file) => file.name === 'index.js')
    ?.text.split('\n')
    .slice(2)
  t.deepEqual(index, [
    'export {',
    '  OnlyOne,',
    "} from './b-items.js'",
    "export * as a_items from './a-items.js'",
    "export * as b_items from './b-items.js'",
    "export * as index_ from './index_.js'",
    '',
  ])
})

/** Writes what the generator makes of the nasty IDL into a folder of its own. */
const written = (folder: string): Promise<string> => writeGenerated(parseThrift([nasty]), folder)

test('declarations are what they promise', async (t) => {
  t.deepEqual(await mistakesIn(await written('types'), 'expectations.ts'), [])
})

test('code of the nastiest names runs', async (t) => {
  const folder = await written('code')
  const module = (await import(join(folder, 'index.js'))) as {
    then_: ServiceDescriptor
    delete_: Record<string, number>
    nested: Record<string, unknown>
    __proto__: object
    Odd: new (fields: object) => Error
    NotFound: new (fields: object) => Error
  }
  t.deepEqual(Object.keys(module.then_.methods), [
    'ping',
    'class',
    'delete',
    'proto',
    'constructor',
    'then',
    'toString',
  ])
  t.deepEqual(Object.entries(module.delete_), [
    ['class', 0],
    ['constructor', -1],
    ['__proto__', 5],
    ['then', 2147483647],
  ])
  t.deepEqual(Object.entries(module.__proto__), [
    ['__proto__', 1],
    ['b', 2],
  ])
  t.deepEqual(Object.keys(module.nested), ['get', 'valueOf', '__proto__', 'constructor', 'hasOwnProperty', 'level'])

  const relay = new Relay(parseThrift([nasty]))
  const args = (method: MethodDescriptor, request: unknown): unknown =>
    relay.message(
      Kind.CALL,
      method.index,
      (out) => method.writeArgs(out, request),
      (tape, p) => method.readArgs(tape, p),
    )
  const outcome = (method: MethodDescriptor, write: (out: Relay['out']) => void): unknown =>
    relay.message(Kind.REPLY, method.index, write, (tape, p) => {
      try {
        return method.readResult(tape, p)
      } catch (error) {
        return error
      }
    })
  const method = (name: string): MethodDescriptor => module.then_.methods[name]
  const answer = method('proto')
  const proto = { ['__proto__']: 'own' }

  t.deepEqual(args(method('ping'), {}), {})
  t.deepEqual(args(method('constructor'), ['a', 'ü']), ['a', 'ü'])
  t.deepEqual(args(method('then'), 'text'), 'text')
  t.deepEqual(Object.entries(args(method('delete'), { class: 1n, t: true }) as object), [
    ['class', 1n],
    // Nobody gave one: what every object inherits under this name does not count.
    ['__proto__', undefined],
    ['t', true],
  ])
  t.deepEqual(Object.entries(args(method('delete'), { class: 1n, t: true, ...proto }) as object)[1], [
    '__proto__',
    'own',
  ])

  // Defaults fill what is absent; inherited properties are no fields.
  const read = args(method('proto'), {
    p: { ['__proto__']: true },
    q: { case: '__proto__', value: { case: 'value', value: 1n } },
  })
  const { f, g, i, k, p, q, v } = read as Record<string, unknown>
  t.is(f, 12n)
  t.is(g, -0.5)
  t.deepEqual(i, new TextEncoder().encode('bytes'))
  t.deepEqual(k, new Set(['x']))
  t.is(v, undefined)
  t.deepEqual(Object.entries(p as object), [
    ['get', undefined],
    ['valueOf', 3],
    ['__proto__', true],
    ['constructor', undefined],
    ['hasOwnProperty', 'yes'],
    ['level', 2],
  ])
  t.deepEqual(q, { case: '__proto__', value: { case: 'value', value: 1n } })

  // Declared exceptions arrive as what they are; others are none of the method's business.
  const odd = outcome(answer, (out) => {
    t.true(answer.writeException(out, new module.Odd({ message: 5, ...proto })))
  })
  t.true(odd instanceof module.Odd)
  t.deepEqual(Object.entries(odd as object), [
    ['message', 5],
    ['cause', undefined],
    ['__proto__', 'own'],
  ])
  const gone = outcome(answer, (out) => {
    t.true(answer.writeException(out, new module.NotFound({ message: 'gone', id: 3n })))
  }) as Error
  t.true(gone instanceof module.NotFound)
  t.is(gone.message, 'gone')
  t.is(gone.name, 'NotFound')
  t.deepEqual(Object.entries(gone), [['id', 3n]])
  t.true(gone.stack?.startsWith('NotFound: gone\n') ?? false)
  relay.out.open(Kind.REPLY, 0, 0, 0, 0)
  t.false(answer.writeException(relay.out, new Error('not declared')))
  relay.out.rollback()
})
