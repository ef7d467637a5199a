import test from 'ava'

import { ratio, slope, spread } from './statistics.mjs'

test('the median of an even number of rounds is between the middle two', (t) => {
  t.deepEqual(spread([4, 1, 3, 2]), { min: 1, median: 2.5, max: 4 })
  t.deepEqual(spread([7]), { min: 7, median: 7, max: 7 })
})

test('ratios are of rounds side by side', (t) => {
  t.deepEqual(ratio([10, 30, 20], [5, 10, 20]), { min: 1, median: 2, max: 3 })
})

test('the slope of a line is its own', (t) => {
  const points = [0, 1, 2, 3].map((x) => ({ x, y: 5 + 2 * x }))
  t.is(slope(points), 2)
})
