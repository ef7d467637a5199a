/** The comparison the other tests rest on must tell apart what is not the same. */
import test from 'ava'
import { canonical, difference } from './canonical.js'

const different: readonly (readonly [unknown, unknown])[] = [
  [0, -0],
  [NaN, 0],
  [1, 1n],
  [1, '1'],
  [undefined, null],
  [false, 0],
  ['', undefined],
  [new Uint8Array([1]), new Uint8Array([1, 0])],
  [new Uint8Array([1]), [1]],
  [new Set([1]), [1]],
  [new Map([['a', 1]]), { a: 1 }],
  [new Map([[{ x: 1 }, 1]]), new Map([[{ x: 2 }, 1]])],
  [new Map([[1, 'a']]), new Map([[1n, 'a']])],
  [{ a: 1 }, { a: 1, b: 0 }],
  [JSON.parse('{"__proto__":1}'), {}],
  [
    [1, 2],
    [2, 1],
  ],
]

const same: readonly (readonly [unknown, unknown])[] = [
  [NaN, NaN],
  [
    { a: 1, b: undefined },
    { b: undefined, a: 1 },
  ],
  [{ a: undefined }, {}],
  [new Set([1, 2]), new Set([2, 1])],
  [
    new Map([
      [{ x: 1 }, 1],
      [{ x: 2 }, 2],
    ]),
    new Map([
      [{ x: 2 }, 2],
      [{ x: 1 }, 1],
    ]),
  ],
  [Buffer.from([1, 2]), new Uint8Array([1, 2])],
]

test('what is not the same has another text', (t) => {
  for (const [one, other] of different) {
    t.not(canonical(one), canonical(other))
    t.regex(difference(one, other) ?? '', /got .* expected/)
  }
})

test('what is the same has one text', (t) => {
  for (const [one, other] of same) t.is(difference(one, other), undefined)
})
