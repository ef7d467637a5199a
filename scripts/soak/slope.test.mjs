import test from 'ava'

import { slope } from './slope.mjs'

test('the slope of a line is its own, with noise on both sides or without', (t) => {
  const line = Array.from({ length: 10 }, (_, x) => ({ x, y: 3 * x - 2 }))
  t.is(slope(line), 3)
  const noisy = line.flatMap(({ x, y }) => [
    { x, y: y + 5 },
    { x, y: y - 5 },
  ])
  t.true(Math.abs(slope(noisy) - 3) < 1e-9)
})

test('what does not move has none, and neither has a single point', (t) => {
  t.is(slope([]), 0)
  t.is(slope([{ x: 1, y: 5 }]), 0)
  t.is(
    slope([
      { x: 1, y: 5 },
      { x: 2, y: 5 },
    ]),
    0,
  )
})
