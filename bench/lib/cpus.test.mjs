import test from 'ava'

import { allowedCpus, parseCpus, placement } from './cpus.mjs'

test('lists of CPUs are read as taskset reads them', (t) => {
  t.deepEqual(parseCpus('0-3,6'), [0, 1, 2, 3, 6])
  t.deepEqual(parseCpus('2,1,1-2'), [1, 2])
  for (const wrong of ['', '3-1', 'a', '1,', '-1', '0-']) t.is(parseCpus(wrong), undefined, wrong)
})

test('CPUs that are not there, given to both or to one alone are refused', (t) => {
  const [first] = allowedCpus()
  t.is(placement(undefined, undefined), undefined)
  t.throws(() => placement(`${first}`, undefined), { message: /go together/ })
  t.throws(() => placement(`${first}`, '9999'), { message: /there is no CPU 9999|taskset/ })
  t.throws(() => placement(`${first}`, `${first}`), { message: /is among|taskset/ })
})
