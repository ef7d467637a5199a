import assert from 'node:assert/strict'
import test from 'ava'
import fc from 'fast-check'
import { TapeTypeError } from '../../core/tape/errors.js'
import { parseText } from './parse-text.js'

/** As `JSON.parse` gives it. */
function ordinary(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (Array.isArray(value)) return value.map(ordinary)
  if (!(value instanceof Map)) return value
  return Object.fromEntries([...(value as Map<string, unknown>)].map(([name, item]) => [name, ordinary(item)]))
}

test('what JSON.parse loses is kept', (t) => {
  t.deepEqual(parseText('[9007199254740993, -9223372036854775808, 18446744073709551615, 9007199254740993.0]'), [
    9007199254740993n,
    -(2n ** 63n),
    2n ** 64n - 1n,
    9007199254740993n,
  ])
  t.deepEqual(
    [...(parseText('{"b":1,"10":2,"1":3,"__proto__":4}') as Map<string, unknown>)],
    [
      ['b', 1],
      ['10', 2],
      ['1', 3],
      ['__proto__', 4],
    ],
  )
  t.true(Object.is(parseText('-0'), -0))
  t.is(parseText('0.1000000000000000055511151231257827'), 0.1)
  t.is(parseText('1e400'), Infinity)
})

test('a text that is none is refused with its place', (t) => {
  const wrong: [text: string, message: string][] = [
    ['', 'no JSON: expected a value at character 0, but it ends'],
    ['{"a":1,}', 'no JSON: expected a name in quotes at character 7, but there is "}"'],
    ['{"a" 1}', 'no JSON: expected \':\' at character 5, but there is "1"'],
    ['{"a":1', "no JSON: expected ',' or '}' at character 6, but it ends"],
    ['[1 2]', "no JSON: expected ',' or ']' at character 3, but there is \"2\""],
    ['[1] 2', 'no JSON: expected the end at character 4, but there is "2"'],
    ['01', 'no JSON: expected the end at character 1, but there is "1"'],
    ['-', 'no JSON: expected a value at character 0, but there is "-"'],
    ['nul', 'no JSON: expected a value at character 0, but there is "n"'],
    ['"a\nb"', 'no JSON: expected the end of a string, \'"\' at character 2, but there is "\\n"'],
    ['"\\x"', 'no JSON: expected a string whose escapes JSON knows at character 0, but there is "\\""'],
    ['{"a":1,"\\u0061":2}', 'the name "a" is there twice in an object, at character 7'],
    ['{"__proto__":1,"__proto__":2}', 'the name "__proto__" is there twice in an object, at character 15'],
    ['['.repeat(101), 'nested deeper than 100 levels'],
    ['{"a":'.repeat(1e5), 'nested deeper than 100 levels'],
  ]
  for (const [text, reason] of wrong)
    t.like(
      t.throws(() => parseText(text), { instanceOf: TapeTypeError }),
      { reason },
    )
  t.notThrows(() => parseText('['.repeat(100) + ']'.repeat(100)))
})

const texts = fc.oneof(
  fc.json({ maxDepth: 5 }),
  fc
    .tuple(
      fc.json(),
      fc.nat(),
      fc.constantFrom('', ' ', '"', '\\', ',', '0', '-', '.', 'e5', '\u0000', '\ud800', '}', ']'),
    )
    .map(([text, at, by]) => {
      const place = at % (text.length + 1)
      return text.slice(0, place) + by + text.slice(place + 1)
    }),
  fc.string({ unit: fc.mapToConstant({ num: 25, build: (at) => '{}[]",:\\ -+.eE0123untfl\n'[at] }), maxLength: 12 }),
)

test('it takes what JSON.parse takes, and gives the same', (t) => {
  let refused = 0
  fc.assert(
    fc.property(texts, (text) => {
      let expected: unknown
      try {
        expected = JSON.parse(text)
      } catch {
        assert.throws(() => parseText(text), TapeTypeError)
        refused++
        return
      }
      try {
        assert.deepEqual(ordinary(parseText(text)), expected)
      } catch (error) {
        if (!(error instanceof TapeTypeError) || !error.reason.includes('is there twice')) throw error
      }
    }),
    { numRuns: 2000 },
  )
  t.true(refused > 200, `${refused} texts were refused`)
})
