import test from 'ava'
import { Backoff } from './backoff.js'

test('the first attempt comes at once, then the waits double up to the maximum', (t) => {
  const backoff = new Backoff(100, 1000)
  const full = () => 0
  t.deepEqual(
    Array.from({ length: 7 }, () => backoff.next(full)),
    [0, 100, 200, 400, 800, 1000, 1000],
  )
  backoff.reset()
  t.is(backoff.next(full), 0)
})

test('waits differ by up to a half, and never end', (t) => {
  const backoff = new Backoff(100, 30_000)
  t.is(backoff.next(), 0)
  t.is(
    backoff.next(() => 0.5),
    75,
  )
  for (let n = 0; n < 10_000; n += 1) {
    const wait = backoff.next()
    t.true(wait > 0 && wait <= 30_000)
  }
})
