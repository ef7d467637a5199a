'use strict'
// Random values of the types of tests/fixtures/everything.thrift, with the edges of each type among them.

/** The deepest recursive structs go. */
const DEEPEST = 4

const TEXTS = [
  ...['', 'a', 'Hello Volo', '日本語のテキスト', 'emoji 🎈🧵', 'nul \0 inside', '\u07ff\u0800\uffff\u{10000}'],
  ...['ümläut', '\ufeffbom', 'line\nbreak', 'constructor', 'toString', '1', 'x'.repeat(400), '漢'.repeat(200)],
]
const DOUBLES = [0, 1, -1.5, 0.1, Number.MAX_VALUE, 2.2250738585072014e-308, 5e-324, Infinity, -Infinity, 2 ** 53]

/**
 * Makers of values, by type. The same seed makes the same values.
 * @param types the generated everything_types
 * @param Int64 node-int64
 * @param seed any 32-bit number
 */
exports.samples = function samples(types, Int64, seed) {
  const random = mulberry32(seed)
  const below = (n) => Math.floor(random() * n)
  const pick = (from) => from[below(from.length)]
  const integer = (bits) => {
    const edge = 2 ** (bits - 1)
    return random() < 0.3 ? pick([0, 1, -1, edge - 1, -edge]) : below(2 ** bits) - edge
  }
  const bool = () => random() < 0.5
  const i8 = () => integer(8)
  const i16 = () => integer(16)
  const i32 = () => integer(32)
  const i64 = () => {
    const buffer = blob(8)
    if (random() < 0.3) buffer.writeBigInt64BE(pick([0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n]))
    return new Int64(buffer)
  }
  const double = () => {
    const value = random() < 0.3 ? pick(DOUBLES) : blob(8).readDoubleBE()
    // No NaN: its bits need not survive.
    return Number.isNaN(value) ? 2.5 : value
  }
  const text = () => (random() < 0.6 ? pick(TEXTS) : below(2 ** 32).toString(16))
  const blob = (length = below(60)) => Buffer.from(Array.from({ length }, () => below(256)))
  const color = () => pick([0, 1, 2, 7, 2147483647, 12345])
  const times = () => Array.from({ length: random() < 0.05 ? 20 : below(4) })
  const list = (make) => times().map(() => make())
  const set = (make) => [...new Set(list(make))]
  const map = (key, value) => Object.fromEntries(times().map(() => [key(), value()]))
  const maybe = (make) => (bool() ? make() : undefined)

  const point = () => new types.Point({ x: i32(), y: i32() })
  const scalars = () =>
    new types.Scalars({
      flag: bool(),
      tiny: i8(),
      small: i8(),
      short_number: i16(),
      number: i32(),
      long_number: i64(),
      fraction: double(),
      text: text(),
      data: blob(),
      color: color(),
      at: i64(),
      colour: color(),
    })
  const containers = () =>
    new types.Containers({
      flags: list(bool),
      tinies: list(i8),
      shorts: list(i16),
      numbers: list(i32),
      longs: list(i64),
      fractions: list(double),
      texts: list(text),
      blobs: list(() => blob()),
      colors: list(color),
      points: list(point),
      number_set: set(i32),
      text_set: set(text),
      text_by_text: map(text, text),
      long_by_text: map(text, i64),
      text_by_number: map(i32, text),
      flag_by_short: map(i16, bool),
      fraction_by_tiny: map(i8, double),
      point_by_color: map(color, point),
      blob_by_text: map(text, () => blob()),
      series: map(text, () => list(i32)),
    })
  const choice = () =>
    new types.Choice(
      pick([
        () => ({ number: i32() }),
        () => ({ text: text() }),
        () => ({ point: point() }),
        () => ({ texts: list(text) }),
        () => ({ flag: bool() }),
        () => ({ data: blob() }),
        () => ({ empty: new types.Empty() }),
      ])(),
    )
  const nested = () =>
    new types.Nested({
      cube: list(() => list(() => list(i32))),
      table: map(text, () => map(text, () => list(i64))),
      mixed: list(() => map(i32, () => set(text))),
      routes: map(text, () => list(point)),
      grid: map(i32, () => map(i32, scalars)),
      choices: list(choice),
    })
  // Fields with a default are always set: npm's thrift gives an absent one its default.
  const defaults = () =>
    new types.Defaults({
      needed: i32(),
      maybe: maybe(i32),
      plain: text(),
      port: i32(),
      greeting: text(),
      on: bool(),
      primes: list(i32),
      sizes: map(text, i32),
      color: color(),
      ratio: double(),
      big: i64(),
      sparse: maybe(text),
      last: maybe(text),
      out_of_order: maybe(text),
    })
  const tree = (depth = 0) => {
    const deeper = (make) => (depth < DEEPEST ? maybe(make) : undefined)
    const below = () => tree(depth + 1)
    return new types.Tree({
      label: text(),
      child: deeper(below),
      children: deeper(() => list(below)),
      by_name: deeper(() => map(text, below)),
    })
  }
  const awkward = () => {
    const names = ['constructor', 'prototype', 'toString', 'valueOf', 'hasOwnProperty', 'arguments', 'let', 'length']
    return new types.Awkward(Object.fromEntries([...names, 'name', 'type', 'toJSON'].map((name) => [name, text()])))
  }
  const all = (depth = 0) =>
    new types.All({
      scalars: scalars(),
      containers: containers(),
      nested: nested(),
      defaults: defaults(),
      choice: choice(),
      tree: tree(),
      empty: maybe(() => new types.Empty()),
      awkward: maybe(awkward),
      more: depth === 0 ? maybe(() => list(() => all(1))) : undefined,
    })

  const routes = () => map(text, () => list(point))
  const texts = () => list(text)
  const numbers = () => set(i32)
  return { all, awkward, blob, choice, color, defaults, nested, numbers, routes, scalars, text, texts, tree }
}

/** A small generator with a seed; Math.random has none. */
function mulberry32(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
