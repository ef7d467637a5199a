import test from 'ava'
import type { ThriftServiceDescriptor } from '../core/descriptor.js'
import { Items } from '../core/items.fixture.js'
import { compileSchema } from '../schema/compile.js'
import type { Schema } from '../schema/model.js'
import { methodsOf } from './methods.js'

const schema: Schema = {
  files: [{ path: 'trees.thrift', root: true }],
  enums: [{ name: 'Colour', file: 0, members: [{ name: 'RED', value: 1 }] }],
  structs: [
    {
      name: 'Tree',
      file: 0,
      kind: 'struct',
      fields: [
        { id: 1, name: 'label', type: 'string', requiredness: 'required' },
        { id: 2, name: 'size', type: 'i32', requiredness: 'required', default: { int: '1' } },
        { id: 3, name: 'children', type: { map: ['uuid', { list: { struct: 0 } }] } },
        { id: 4, name: 'colours', type: { set: { enum: 0 } } },
      ],
    },
    {
      name: 'Trees.grow_tree_args',
      file: 0,
      kind: 'args',
      fields: [
        { id: 1, name: 'tree', type: { struct: 0 } },
        { id: 2, name: 'by', type: 'i64', requiredness: 'optional' },
      ],
    },
    {
      name: 'Trees.grow_tree_result',
      file: 0,
      kind: 'result',
      fields: [{ id: 0, name: 'success', type: { struct: 0 } }],
    },
  ],
  methods: [{ name: 'grow_tree', service: 0, args: 1, result: 2 }],
  services: [{ name: 'Trees', file: 0, methods: [0] }],
}

test('methods are found by both of their names, and only they', (t) => {
  const methods = methodsOf(compileSchema(schema).services[0] as ThriftServiceDescriptor)
  const method = methods.get('grow_tree')
  t.is(methods.get('growTree'), method)
  t.like(method, { service: 'Trees', name: 'growTree', wireName: 'grow_tree', kind: 'unary' })
  t.deepEqual([...methods], [method])
  for (const name of ['grow', '__proto__', 'constructor', 'toString', '']) t.is(methods.get(name), undefined)
})

test('types tell what they are made of, at any depth', (t) => {
  const methods = methodsOf(compileSchema(schema).services[0] as ThriftServiceDescriptor)
  const [tree, by] = methods.get('growTree')?.parameters ?? []
  t.deepEqual([tree.name, tree.required, by.name, by.required, by.type.kind], ['tree', true, 'by', false, 'i64'])
  const { fields } = tree.type
  t.deepEqual(
    fields.map(({ id, name, type, required }) => [id, name, type.name, type.kind, required]),
    [
      [1, 'label', 'string', 'string', true],
      [2, 'size', 'i32', 'i32', false],
      [3, 'children', 'map<uuid, list<Tree>>', 'map', false],
      [4, 'colours', 'set<Colour>', 'set', false],
    ],
  )
  t.is(fields[2].type.key?.kind, 'uuid')
  t.is(fields[2].type.element?.element?.fields[0].name, 'label')
  t.deepEqual([...(fields[3].type.element?.members ?? [])], [['RED', 1]])
  t.is(methods.get('growTree')?.result?.name, 'Tree')
})

test('what a method throws, and what it does not give', (t) => {
  const methods = methodsOf(Items)
  t.deepEqual(
    [...(methods.get('get')?.exceptions ?? [])].map(([name, type]) => [name, type.name, type.kind]),
    [['notFound', 'NotFound', 'exception']],
  )
  t.is(methods.get('nothing')?.result, undefined)
  t.like(methods.get('note'), { kind: 'oneway', result: undefined })
  t.is(methods.get('join')?.parameters.length, 2)
})
