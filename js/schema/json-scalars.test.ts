import test from 'ava'
import fc from 'fast-check'
import { wholeOfText } from './json-scalars.js'

test('an integer is read to its last digit, however it is written', (t) => {
  const cases: [text: string, value: bigint | undefined][] = [
    ['0', 0n],
    ['-0', 0n],
    ['0.000e5', 0n],
    ['9007199254740993', 9007199254740993n],
    ['9007199254740993.0', 9007199254740993n],
    ['9.007199254740993e15', 9007199254740993n],
    ['-900719925474099300e-2', -9007199254740993n],
    ['18446744073709551615', 2n ** 64n - 1n],
    ['0.01e3', 10n],
    ['1.5', undefined],
    ['1e-1', undefined],
    ['1e20', undefined],
    ['1e999999999999', undefined],
    ['01', undefined],
    ['+1', undefined],
    ['1.', undefined],
    ['', undefined],
    ['0x10', undefined],
  ]
  for (const [text, value] of cases) t.is(wholeOfText(text), value, text)
})

test('a number that is shifted by its exponent is the same number', (t) => {
  fc.assert(
    fc.property(fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }), fc.integer({ min: 1, max: 30 }), (value, places) => {
      const zeros = '0'.repeat(places)
      return wholeOfText(`${value}${zeros}e-${places}`) === value && wholeOfText(`-${value}.${zeros}`) === -value
    }),
  )
  t.pass()
})

test('a number of a million zeros takes no time', (t) => {
  const before = performance.now()
  t.is(wholeOfText(`1${'0'.repeat(1e6)}1`), undefined)
  t.is(wholeOfText(`0.${'0'.repeat(1e6)}1`), undefined)
  t.true(performance.now() - before < 2000)
})
