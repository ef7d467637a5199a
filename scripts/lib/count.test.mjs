import test from 'ava'

import { countCargo, countExpectations, countSum, countTap } from './count.mjs'

test('cargo: the sum of all test binaries', (t) => {
  const output = [
    'test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s',
    'test schema::name ... FAILED',
    'test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s',
  ].join('\n')
  t.deepEqual(countCargo(output), { passed: 15, failed: 2, skipped: 1 })
})

test('cargo: what did not compile has no tests', (t) => {
  t.deepEqual(countCargo('error: could not compile `volo-js`'), { passed: 0, failed: 0, skipped: 0 })
})

test('TAP: skipped tests and those to be done count as neither', (t) => {
  const output = ['TAP version 13', 'ok 1 - a', 'not ok 2 - b', 'ok 3 - c # SKIP', 'not ok 4 - d # TODO', '1..4'].join(
    '\n',
  )
  t.deepEqual(countTap(output), { passed: 1, failed: 1, skipped: 2 })
})

test('a sum that a program prints itself: the last one counts', (t) => {
  t.deepEqual(countSum('3 passed, 0 failed\n12 passed, 1 failed\n'), { passed: 12, failed: 1, skipped: 0 })
  t.deepEqual(countSum('crashed'), { passed: 0, failed: 0, skipped: 0 })
})

test('type tests: one for every expectation', (t) => {
  t.is(countExpectations('  // @ts-expect-error wrong\n  f()\nsame<A, B>(true)\nfunction same<A, B>() {}\n'), 2)
})
