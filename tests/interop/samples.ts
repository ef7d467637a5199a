/** Messages of tests/fixtures/everything.thrift with the limits of every type in them. */
import {
  Color,
  type All,
  type Awkward,
  type Choice,
  type Containers,
  type Defaults,
  type Keys,
  type Nested,
  type Scalars,
  type Tree,
} from '../volo-gen/index.js'

export const limits = {
  i8: [-128, -1, 0, 1, 127],
  i16: [-32768, -129, 0, 128, 32767],
  i32: [-2147483648, -32769, 0, 32768, 2147483647],
  i64: [-(2n ** 63n), -(2n ** 53n) - 1n, -(2n ** 31n) - 1n, 0n, 2n ** 32n, 2n ** 53n + 1n, 2n ** 63n - 1n],
} as const

/** Without -0, which not every peer keeps. */
export const doubles = [
  ...[0, 0.1, -1.5, 2 ** 53, Number.MAX_VALUE, -Number.MAX_VALUE, Number.MIN_VALUE, Number.EPSILON],
  ...[2.2250738585072014e-308, Infinity, -Infinity, NaN],
]

const MiB = 2 ** 20

export const texts = [
  ...['', 'a', 'Hello Volo', 'ümläut', '日本語のテキスト', 'emoji 🎈🧵', 'nul \0 inside', '\ufeffbom', 'line\r\nbreak'],
  ...['\u007f\u0080\u07ff\u0800\uffff\u{10000}\u{10ffff}', '\u2028', '"\\', 'constructor'],
  // Around the lengths at which strings take another way to the tape.
  ...['x'.repeat(255), 'x'.repeat(257), 'x'.repeat(1024), 'x'.repeat(1025), 'ü'.repeat(512), '漢'.repeat(1365)],
]

export const largeTexts = ['x'.repeat(MiB), `${'ü'.repeat(MiB / 2 - 1)}€`, '🎈'.repeat(MiB / 4)]

const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, n) => (n * 7) % 256)

export const blobs = [0, 1, 255, 256, 65535, 65536, MiB].map(bytes)

export const scalars: readonly Scalars[] = [0, 1, 2].map((n) => ({
  flag: n === 2,
  tiny: limits.i8[2 * n],
  small: limits.i8[4 - 2 * n],
  short_number: limits.i16[2 * n],
  number: limits.i32[2 * n],
  long_number: limits.i64[3 * n],
  fraction: doubles[n + 1],
  text: texts[n],
  data: bytes(n * 100),
  color: [Color.BLACK, Color.BLUE, Color.LAST][n],
  at: limits.i64[6 - 3 * n],
  colour: [Color.LAST, Color.GREEN, Color.BLACK][n],
}))

/** A record whose keys mean something to JavaScript; only of own properties. */
export function record<T>(keys: readonly string[], value: (key: string, index: number) => T): Record<string, T> {
  return Object.fromEntries(keys.map((key, index) => [key, value(key, index)]))
}

export const plainKeys = [
  '',
  'a',
  '1',
  '01',
  '-1',
  '4294967295',
  'ü',
  '🎈',
  'constructor',
  'toString',
  'length',
  'then',
]

/** Keys that npm's thrift loses. */
export const prototypeKeys = ['__proto__', 'hasOwnProperty']

const points = limits.i32.map((x, n) => ({ x, y: limits.i32[4 - n] }))

export function containers(keys: readonly string[]): Containers {
  return {
    flags: [true, false, true],
    tinies: [...limits.i8],
    shorts: [...limits.i16],
    numbers: [...limits.i32],
    longs: [...limits.i64],
    fractions: doubles,
    texts,
    blobs: [new Uint8Array(), bytes(300)],
    colors: Object.values(Color),
    points,
    number_set: new Set(limits.i32),
    text_set: new Set(texts),
    text_by_text: record(keys, (key) => key),
    long_by_text: record(keys, (_, n) => limits.i64[n % limits.i64.length]),
    text_by_number: new Map(limits.i32.map((key) => [key, `${key}`])),
    flag_by_short: new Map(limits.i16.map((key) => [key, key > 0])),
    fraction_by_tiny: new Map(limits.i8.map((key, n) => [key, doubles[n]])),
    point_by_color: new Map(Object.values(Color).map((key, n) => [key, points[n]])),
    blob_by_text: record(keys, (key) => new TextEncoder().encode(key)),
    series: record(keys, (_, n) => Array.from({ length: n }, (_, index) => index)),
  }
}

const noContainers: Containers = {
  flags: [],
  tinies: [],
  shorts: [],
  numbers: [],
  longs: [],
  fractions: [],
  texts: [],
  blobs: [],
  colors: [],
  points: [],
  number_set: new Set(),
  text_set: new Set(),
  text_by_text: {},
  long_by_text: {},
  text_by_number: new Map(),
  flag_by_short: new Map(),
  fraction_by_tiny: new Map(),
  point_by_color: new Map(),
  blob_by_text: {},
  series: {},
}

export const choices: readonly Choice[] = [
  { case: 'number', value: -2147483648 },
  { case: 'text', value: '' },
  { case: 'point', value: points[0] },
  { case: 'texts', value: [] },
  { case: 'texts', value: texts },
  { case: 'flag', value: false },
  { case: 'data', value: bytes(3) },
  { case: 'empty', value: {} },
]

export function nested(keys: readonly string[]): Nested {
  return {
    cube: [[], [[]], [[...limits.i32], [], [1]]],
    table: { '': {}, all: record(keys, () => [...limits.i64]) },
    mixed: [new Map(), new Map([[0, new Set<string>()]]), new Map([[-2147483648, new Set(texts)]])],
    routes: record(keys, (_, n) => points.slice(0, n % 5)),
    grid: new Map([
      [2147483647, new Map(scalars.map((its, n) => [n, its]))],
      [0, new Map()],
    ]),
    choices: [...choices],
  }
}

/** Every field that has a default is set: whether an absent one comes back with it differs between implementations. */
export const defaults: readonly Defaults[] = [
  {
    needed: 0,
    port: 0,
    greeting: '',
    on: false,
    primes: [],
    sizes: {},
    color: Color.BLACK,
    ratio: 0,
    big: 0n,
  },
  {
    needed: 2147483647,
    maybe: -2147483648,
    plain: 'plain',
    port: 8080,
    greeting: 'hello',
    on: true,
    primes: [2, 3, 5],
    sizes: { one: 1 },
    color: Color.BLUE,
    ratio: 0.25,
    big: 9007199254740993n,
    sparse: 'sparse',
    last: 'last',
    out_of_order: 'out of order',
  },
]

/** A tree `depth` levels deep, with every way to have a child in it. */
export function tree(depth: number): Tree {
  if (depth === 0) return { label: '' }
  return {
    label: `level ${depth}`,
    child: tree(depth - 1),
    children: [{ label: 'leaf' }, { label: '', children: [] }],
    by_name: { '': { label: 'unnamed', by_name: {} } },
  }
}

export const awkward: Awkward = {
  constructor: 'constructor',
  prototype: 'prototype',
  toString: 'toString',
  valueOf: 'valueOf',
  hasOwnProperty: 'hasOwnProperty',
  arguments: 'arguments',
  let: 'let',
  length: 'length',
  name: 'name',
  type: 'type',
  toJSON: 'toJSON',
}

export const keys: Keys = {
  by_long: new Map(limits.i64.map((key) => [key, `${key}`])),
  by_flag: new Map([
    [true, 'yes'],
    [false, 'no'],
  ]),
  by_fraction: new Map(doubles.map((key) => [key, `${key}`])),
  by_data: new Map([0, 1, 300].map((length) => [bytes(length), `${length}`])),
  by_point: new Map(points.map((key, n) => [key, `${n}`])),
  points: new Set(points),
  longs: new Set(limits.i64),
  flags: new Set([false]),
  deep: new Map([[-(2n ** 63n), new Map([[true, points]])]]),
}

const tiny: All = {
  scalars: scalars[0],
  containers: noContainers,
  nested: { cube: [], table: {}, mixed: [], routes: {}, grid: new Map(), choices: [] },
  defaults: defaults[0],
  choice: choices[5],
  tree: tree(0),
}

export function alls(names: readonly string[]): readonly All[] {
  return [
    tiny,
    {
      scalars: scalars[2],
      containers: containers(names),
      nested: nested(names),
      defaults: defaults[1],
      choice: choices[2],
      tree: tree(5),
      empty: {},
      awkward,
      more: [tiny, { ...tiny, more: [] }],
    },
  ]
}
