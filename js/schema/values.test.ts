import test from 'ava'
import type { MethodDescriptor } from '../core/descriptor.js'
import { TapeRangeError, TapeTypeError } from '../core/tape/errors.js'
import { Kind } from '../core/tape/layout.js'
import { Relay } from '../core/tape/relay.test.helper.js'
import { VoloError } from '../core/errors.js'
import { compileSchema } from './compile.js'
import type { Int64, Schema, Type } from './model.js'

/** A service with a method `echo` of this type, and one of a struct that has it as its field `it`. */
function schemaOf(type: Type): Schema {
  const struct = (name: string, kind: 'args' | 'result' | 'struct', field: string, of: Type) => ({
    name,
    file: 0,
    kind,
    fields: [
      {
        id: kind === 'result' ? 0 : 1,
        name: field,
        type: of,
        requiredness: kind === 'result' ? ('optional' as const) : ('required' as const),
      },
    ],
  })
  return {
    files: [{ path: 'values.thrift', root: true }],
    enums: [{ name: 'Colour', file: 0, members: [{ name: 'RED', value: 1 }] }],
    structs: [
      struct('Box', 'struct', 'it', type),
      struct('Service.echo_args', 'args', 'value', type),
      struct('Service.echo_result', 'result', 'success', type),
      struct('Service.box_args', 'args', 'box', { struct: 0 }),
      struct('Service.box_result', 'result', 'success', { struct: 0 }),
    ],
    methods: [
      { name: 'echo', service: 0, args: 1, result: 2 },
      { name: 'box', service: 0, args: 3, result: 4 },
    ],
    services: [{ name: 'Service', file: 0, methods: [0, 1] }],
  }
}

interface Echo {
  readonly echo: (value: unknown) => unknown
  readonly box: (value: unknown) => unknown
}

/** Echoes by generated code and by the interpreter: whatever holds, holds for both. */
function echoes(type: Type, i64: Int64 = 'bigint'): Echo[] {
  const schema = schemaOf(type)
  return [true, false].map((codegen) => {
    const relay = new Relay(schema)
    const [service] = compileSchema(schema, { codegen, i64 }).services
    const through = (method: MethodDescriptor, value: unknown): unknown =>
      relay.message(
        Kind.CALL,
        method.index,
        (t) => method.writeArgs(t, value),
        (t, p) => method.readArgs(t, p),
      )
    return {
      echo: (value) => through(service.methods.echo, value),
      box: (value) => through(service.methods.box, value),
    }
  })
}

const arrives: [name: string, type: Type, values: unknown[]][] = [
  ['bool', 'bool', [true, false]],
  ['i8', 'i8', [0, 127, -128]],
  ['i16', 'i16', [0, 32767, -32768]],
  ['i32', 'i32', [0, 2147483647, -2147483648]],
  ['i64', 'i64', [0n, -1n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)]],
  ['double', 'double', [0, -0, 0.1, Number.NaN, Infinity, -Infinity, Number.MAX_VALUE, Number.MIN_VALUE]],
  ['enum', { enum: 0 }, [1, 0, -7, 2147483647]],
  [
    'string',
    'string',
    [
      '',
      'a',
      'ü',
      '\u0000',
      '😀',
      'a'.repeat(1024),
      'a'.repeat(1025),
      'ü'.repeat(256),
      '😀'.repeat(300),
      'x'.repeat(1 << 20),
    ],
  ],
  ['binary', 'binary', [new Uint8Array(), new Uint8Array([0, 255]), new Uint8Array(1 << 20).fill(7)]],
  ['uuid', 'uuid', ['123e4567-e89b-12d3-a456-426614174000']],
  ['list', { list: 'i64' }, [[], [1n], Array.from({ length: 1000 }, (_, index) => BigInt(index))]],
  ['set', { set: 'string' }, [new Set(), new Set(['a', 'ü'])]],
  ['map', { map: ['i64', 'string'] }, [new Map(), new Map([[1n, 'a']])]],
  ['record', { map: ['string', 'i32'] }, [{}, { a: 1, ü: 2 }, { ['__proto__']: 1, constructor: 2, toString: 3 }]],
  [
    'record of more keys than are cached',
    { map: ['string', 'i32'] },
    [Object.fromEntries(Array.from({ length: 99 }, (_, i) => [`k${i}`, i]))],
  ],
]

for (const [name, type, values] of arrives) {
  test(`${name}: what is written arrives`, (t) => {
    for (const { echo } of echoes(type)) {
      for (const value of values) t.deepEqual(echo(value), value)
    }
  })
}

test('lone surrogates become U+FFFD, also where two strings would form a pair', (t) => {
  for (const { echo } of echoes({ list: 'string' })) {
    t.deepEqual(echo(['a\ud83d', '\ude00b', '\ud83d', 'ü\ude00']), ['a\ufffd', '\ufffdb', '\ufffd', 'ü\ufffd'])
    t.deepEqual(echo([`${'x'.repeat(300)}\ud83d`, '\ude00']), [`${'x'.repeat(300)}\ufffd`, '\ufffd'])
  }
})

test('keys of maps come again with other ones and in another order', (t) => {
  for (const { echo } of echoes({ map: ['string', 'i32'] })) {
    for (let round = 0; round < 50; round++) {
      const keys = ['a', 'b', 'color', `k${round}`, '__proto__', 'size'].slice(round % 4)
      const value = Object.fromEntries(
        keys.map((key, index) => [round % 2 === 0 ? key : keys[keys.length - 1 - index], index]),
      )
      const read = echo(value) as object
      t.deepEqual(Object.entries(read), Object.entries(value))
      t.is(Object.getPrototypeOf(read), Object.prototype)
    }
  }
})

test('64-bit integers can be numbers, as far as those go', (t) => {
  for (const { echo, box } of echoes('i64', 'number')) {
    for (const value of [0, -1, 4294967296, -4294967297, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]) {
      t.is(echo(value), value)
    }
    t.throws(() => box({ it: 2 ** 53 }), {
      instanceOf: TapeRangeError,
      message:
        'Box.it: expected an integer from -9007199254740991 to 9007199254740991 (i64 as number), got number 9007199254740992; ' +
        'larger ones need code built with --i64 bigint',
    })
    t.throws(() => box({ it: 12n }), { message: 'Box.it: expected number, got bigint 12n; write 12' })
  }
})

/** Values that are refused, and with which words. */
const refused: [type: Type, value: unknown, message: string][] = [
  ['bool', 1, 'Box.it: expected boolean, got number 1'],
  ['i8', 128, 'Box.it: expected an integer from -128 to 127 (i8), got number 128'],
  ['i8', 1.5, 'Box.it: expected an integer from -128 to 127 (i8), got number 1.5'],
  ['i16', -32769, 'Box.it: expected an integer from -32768 to 32767 (i16), got number -32769'],
  ['i32', 2 ** 31, 'Box.it: expected an integer from -2147483648 to 2147483647 (i32), got number 2147483648'],
  ['i32', Number.NaN, 'Box.it: expected an integer from -2147483648 to 2147483647 (i32), got number NaN'],
  ['i32', 12n, 'Box.it: expected number, got bigint 12n; write 12'],
  ['i32', '12', 'Box.it: expected number, got string "12"'],
  [{ enum: 0 }, 'RED', 'Box.it: expected number, got string "RED"'],
  ['i64', 12, 'Box.it: expected bigint, got number 12; write 12n'],
  ['i64', 1.5, 'Box.it: expected bigint, got number 1.5'],
  [
    'i64',
    2n ** 63n,
    'Box.it: expected an integer from -9223372036854775808 to 9223372036854775807 (i64), got bigint 9223372036854775808n',
  ],
  ['double', '1', 'Box.it: expected number, got string "1"'],
  ['string', 5, 'Box.it: expected string, got number 5'],
  ['string', new String('s'), 'Box.it: expected string, got String'],
  ['uuid', 'x', 'Box.it: expected a uuid such as 123e4567-e89b-12d3-a456-426614174000, got string "x"'],
  ['binary', 'text', 'Box.it: expected Uint8Array, got string "text"; write Buffer.from(text)'],
  ['binary', new ArrayBuffer(1), 'Box.it: expected Uint8Array, got ArrayBuffer; write new Uint8Array(buffer)'],
  [{ list: 'i32' }, new Set([1]), 'Box.it: expected array, got Set; write Array.from(it)'],
  [{ list: 'i32' }, new Int32Array(1), 'Box.it: expected array, got Int32Array; write Array.from(it)'],
  [{ list: 'i64' }, [1n, 2], 'Box.it[1]: expected bigint, got number 2; write 2n'],
  // eslint-disable-next-line no-sparse-arrays -- A hole is what is tested.
  [{ list: 'i64' }, [1n, , 2n], 'Box.it[1]: required value is absent'],
  [{ set: 'i32' }, [1], 'Box.it: expected Set, got array; write new Set(array)'],
  [{ map: ['i64', 'i32'] }, { a: 1 }, 'Box.it: expected Map, got object; write new Map(entries)'],
  [{ map: ['i64', 'i32'] }, new Map([[1, 1]]), 'Box.it key 0: expected bigint, got number 1; write 1n'],
  [{ map: ['i64', 'i32'] }, new Map([[1n, '']]), 'Box.it[1n]: expected number, got string ""'],
  [
    { map: ['string', 'i32'] },
    new Map([['a', 1]]),
    'Box.it: expected plain object, got Map; write Object.fromEntries(map)',
  ],
  [{ map: ['string', 'i32'] }, { 'a b': null }, 'Box.it["a b"]: required value is absent'],
  [{ map: ['string', { list: 'bool' }] }, { a: [true, 0] }, 'Box.it["a"][1]: expected boolean, got number 0'],
  [{ struct: 0 }, null, 'Box.it: required value is absent'],
]

for (const [type, value, message] of refused) {
  test(`refused: ${message}`, (t) => {
    for (const { box } of echoes(type)) {
      const error = t.throws(() => box({ it: value }), { instanceOf: TapeTypeError, message })
      t.is(error.path, message.split(': ')[0])
      t.is(error.code, 'INVALID_ARGUMENT')
      t.true(VoloError.is(error))
    }
  })
}

test('a request that is no struct at all', (t) => {
  for (const { box, echo } of echoes('i64')) {
    t.throws(() => box(undefined), { message: 'Box: required value is absent' })
    t.throws(() => box(5), { message: 'Box: expected object, got number 5' })
    t.throws(() => box({}), { message: 'Box.it: required value is absent' })
    t.throws(() => echo(5), { message: 'Service.echo(value): expected bigint, got number 5; write 5n' })
  }
})

test('a struct of which nothing is there must have been meant as one', (t) => {
  const schema = schemaOf('i64')
  const structs = [
    { ...schema.structs[0], fields: [{ id: 1, name: 'it', type: 'i64' as const }] },
    ...schema.structs.slice(1),
  ]
  for (const codegen of [true, false]) {
    const relay = new Relay({ ...schema, structs })
    const { box } = compileSchema({ ...schema, structs }, { codegen }).services[0].methods
    const write = (value: unknown) => (): unknown =>
      relay.message(
        Kind.CALL,
        1,
        (t) => box.writeArgs(t, value),
        (t, p) => box.readArgs(t, p),
      )
    t.deepEqual(write({})(), { it: undefined })
    t.deepEqual(write({ it: null })(), { it: undefined })
    t.deepEqual(write({ other: 1 })(), { it: undefined })
    t.throws(write([]), { message: 'Box: expected object, got array' })
    t.throws(write(new Map()), { message: 'Box: expected object, got Map' })
    t.throws(write(Promise.resolve()), { message: 'Box: expected object, got Promise; await it' })
  }
})

test('a cycle is found before the stack ends', (t) => {
  const schema = schemaOf({ list: { struct: 0 } })
  for (const codegen of [true, false]) {
    const relay = new Relay(schema)
    const { box } = compileSchema(schema, { codegen }).services[0].methods
    const cycle: { it: unknown[] } = { it: [] }
    cycle.it.push(cycle)
    const write = (value: unknown) => (): unknown =>
      relay.message(
        Kind.CALL,
        1,
        (out) => box.writeArgs(out, value),
        (tape, p) => box.readArgs(tape, p),
      )
    const error = t.throws(write(cycle), { instanceOf: TapeTypeError })
    t.true(error.message.endsWith('nested deeper than 64 levels; is it a cycle?'), error.message)
    let deep = { it: [] as unknown[] }
    for (let level = 1; level < 64; level++) deep = { it: [deep] }
    t.deepEqual(write(deep)(), deep)
  }
})

test('collections that lie about their size are refused', (t) => {
  class Liar extends Set<number> {
    override get size(): number {
      return 5
    }
  }
  for (const { box } of echoes({ set: 'i32' })) {
    t.throws(() => box({ it: new Liar([1, 2]) }), { message: 'Box.it: its size is not the number of its elements' })
  }
})

test('errors of getters are passed on, and the tape survives', (t) => {
  for (const { box } of echoes('i64')) {
    const failing = {
      get it(): bigint {
        throw new RangeError('getter')
      },
    }
    t.throws(() => box(failing), { instanceOf: RangeError, message: 'getter' })
    t.deepEqual(box({ it: 1n }), { it: 1n })
  }
})

test('a value that is right the second time it is read gets the words of the first', (t) => {
  let reads = 0
  const fickle = {
    get it(): unknown {
      return ++reads % 2 === 1 ? 'wrong' : 1n
    },
  }
  const [{ box }] = echoes('i64')
  t.throws(() => box(fickle), { message: 'Box.it: expected bigint, got string "wrong"' })
})

test('generated functions have names in stacks', (t) => {
  const [{ box }] = echoes('i64')
  const failing = {
    get it(): bigint {
      throw new Error('getter')
    },
  }
  const error = t.throws(() => box(failing))
  t.regex(error?.stack ?? '', /\$writeBox \(volo-gen:values\.thrift:\d+/)
})
