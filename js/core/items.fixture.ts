/**
 * A small service for tests of this folder, written by hand so that they need no generator:
 *
 * ```thrift
 * struct Item { 1: required i64 id, 2: required string title }
 * exception NotFound { 1: required i64 id }
 * service Items {
 *   Item get(1: i64 id) throws (1: NotFound notFound) (idempotent = "true")
 *   string join(1: string left, 2: string right)
 *   void nothing()
 *   oneway void note(1: string text)
 * }
 * ```
 */
import type { MethodDescriptor, ThriftServiceDescriptor } from './descriptor.js'
import { VoloError } from './errors.js'
import { wrong } from './tape/errors.js'
import type { InTape } from './tape/reader.js'
import type { OutTape } from './tape/writer.js'

export interface Item {
  id: bigint
  title: string
}

export class NotFound extends Error {
  constructor(readonly id: bigint) {
    super(`no item ${id}`)
  }
}

const schema = {
  files: [{ path: 'items.thrift', root: true }],
  structs: [
    {
      name: 'Item',
      file: 0,
      kind: 'struct',
      fields: [
        { id: 1, name: 'id', type: 'i64', requiredness: 'required' },
        { id: 2, name: 'title', type: 'string', requiredness: 'required' },
      ],
    },
    {
      name: 'NotFound',
      file: 0,
      kind: 'exception',
      fields: [{ id: 1, name: 'id', type: 'i64', requiredness: 'required' }],
    },
    { name: 'Items.get_args', file: 0, kind: 'args', fields: [{ id: 1, name: 'id', type: 'i64' }] },
    {
      name: 'Items.get_result',
      file: 0,
      kind: 'result',
      fields: [
        { id: 0, name: 'success', type: { struct: 0 } },
        { id: 1, name: 'notFound', type: { struct: 1 } },
      ],
    },
    {
      name: 'Items.join_args',
      file: 0,
      kind: 'args',
      fields: [
        { id: 1, name: 'left', type: 'string' },
        { id: 2, name: 'right', type: 'string' },
      ],
    },
    { name: 'Items.join_result', file: 0, kind: 'result', fields: [{ id: 0, name: 'success', type: 'string' }] },
    { name: 'Items.nothing_args', file: 0, kind: 'args', fields: [] },
    { name: 'Items.nothing_result', file: 0, kind: 'result', fields: [] },
    { name: 'Items.note_args', file: 0, kind: 'args', fields: [{ id: 1, name: 'text', type: 'string' }] },
  ],
  methods: [
    { name: 'get', service: 0, args: 2, result: 3, annotations: { idempotent: 'true' } },
    { name: 'join', service: 0, args: 4, result: 5 },
    { name: 'nothing', service: 0, args: 6, result: 7 },
    { name: 'note', service: 0, oneway: true, args: 8 },
  ],
  services: [{ name: 'Items', file: 0, methods: [0, 1, 2, 3] }],
}

/** Lays a struct: the presence slot, then as many field slots. */
function open(t: OutTape, fields: number, presence: number): number {
  const p = t.alloc(1 + fields)
  t.i32[2 * p] = presence
  t.i32[2 * p + 1] = 0
  return p + 1
}

function writeId(t: OutTape, p: number, id: unknown): void {
  if (typeof id !== 'bigint') wrong('id', 'bigint', id)
  t.i64[p] = id
}

function writeText(t: OutTape, p: number, text: unknown): void {
  if (typeof text !== 'string') wrong('text', 'string', text)
  t.string(p, text)
}

const common = { oneway: false, idempotent: false, annotations: {} }
const neverThrown = (): boolean => false

const get: MethodDescriptor<bigint, Item> = {
  ...common,
  name: 'get',
  wireName: 'get',
  index: 0,
  idempotent: true,
  annotations: { idempotent: 'true' },
  readArgs: (t, p) => t.i64[p + 1],
  writeArgs: (t, id) => writeId(t, open(t, 1, 1), id),
  readResult(t, p) {
    const presence = t.i32[2 * p]
    if ((presence & 2) !== 0) throw new NotFound(t.i64[target(t, p + 2) + 1])
    const item = target(t, p + 1)
    return { id: t.i64[item + 1], title: t.string(item + 2) }
  },
  writeResult(t, item) {
    const p = open(t, 2, 1)
    const value = open(t, 2, 3)
    t.point(p, value - 1, 0)
    writeId(t, value, item.id)
    writeText(t, value + 1, item.title)
  },
  writeException(t, error) {
    if (!(error instanceof NotFound)) return false
    const p = open(t, 2, 2)
    const value = open(t, 1, 1)
    t.point(p + 1, value - 1, 0)
    writeId(t, value, error.id)
    return true
  },
}

function target(t: InTape, p: number): number {
  return p + t.i32[2 * p]
}

const join: MethodDescriptor<{ left: string; right: string }, string> = {
  ...common,
  name: 'join',
  wireName: 'join',
  index: 1,
  readArgs: (t, p) => ({ left: t.string(p + 1), right: t.string(p + 2) }),
  writeArgs(t, { left, right }) {
    const p = open(t, 2, 3)
    writeText(t, p, left)
    writeText(t, p + 1, right)
  },
  readResult: (t, p) => t.string(p + 1),
  writeResult: (t, text) => writeText(t, open(t, 1, 1), text),
  writeException: neverThrown,
}

const nothing: MethodDescriptor<Record<string, never>, void> = {
  ...common,
  name: 'nothing',
  wireName: 'nothing',
  index: 2,
  readArgs: () => ({}),
  writeArgs: (t) => void open(t, 0, 0),
  readResult: () => undefined,
  writeResult: (t) => void open(t, 0, 0),
  writeException: neverThrown,
}

const note: MethodDescriptor<string, void> = {
  ...common,
  name: 'note',
  wireName: 'note',
  index: 3,
  oneway: true,
  readArgs: (t, p) => t.string(p + 1),
  writeArgs: (t, text) => writeText(t, open(t, 1, 1), text),
  readResult: () => undefined,
  writeResult() {
    throw new VoloError('INTERNAL', 'a oneway method has no result')
  },
  writeException: neverThrown,
}

export const Items: ThriftServiceDescriptor<{
  readonly get: typeof get
  readonly join: typeof join
  readonly nothing: typeof nothing
  readonly note: typeof note
}> = {
  name: 'Items',
  protocol: 'thrift',
  program: { layout: 1, hash: 'items-fixture', schema: JSON.stringify(schema) },
  index: 0,
  methods: { get, join, nothing, note },
}
