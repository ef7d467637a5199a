/** The message that codecs are measured with, and how. */
import Benchmark from 'benchmark'

import { spread } from '../lib/statistics.mjs'

/** Messages of one delivery of a busy server. */
export const BATCH = 16

export const item = {
  id: 1024n,
  title: 'Hello Volo title',
  content: 'This is a Volo example with a content that is of moderate size!!',
  extra: { color: 'red', size: 'large', brand: 'acme-corporation' },
}

/** Handles BATCH messages; one that reads gives the item of the last. @typedef {() => unknown} Case */

/** What is measured lands here, so that the compiler cannot leave it out. */
export const sink = { last: /** @type {unknown} */ (undefined) }

/** Peers give 64-bit integers as objects of their own; everything else has to be the same. */
const plain = (/** @type {any} */ { id, title, content, extra }) =>
  JSON.stringify({ id: String(id), title, content, extra: { ...extra } })

/**
 * Runs every case once.
 * @param {Record<string, Case>} cases
 * @throws Error if one whose name begins with `read` gives something else than the item.
 */
export function check(cases) {
  for (const [name, run] of Object.entries(cases)) {
    const value = run()
    if (name.startsWith('read') && plain(value) !== plain(item)) throw new Error(`${name} gave ${plain(value)}`)
  }
}

/**
 * A case that does something BATCH times.
 * @param {() => unknown} once
 * @returns {Case}
 */
export function batched(once) {
  return () => {
    for (let message = 0; message < BATCH; message++) sink.last = once()
    return sink.last
  }
}

/**
 * Nanoseconds a message of every case, in rounds in which they take turns: what changes on the machine changes all of them.
 * @param {Record<string, Case>} cases
 * @param {{ rounds: number, seconds: number }} how `seconds`: a case and round
 */
export function sample(cases, { rounds, seconds }) {
  /** @type {Record<string, number[]>} */
  const times = Object.fromEntries(Object.keys(cases).map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    const suite = new Benchmark.Suite()
    for (const [name, run] of Object.entries(cases)) {
      suite.add(name, () => void (sink.last = run()), { maxTime: seconds })
    }
    suite.on('cycle', (/** @type {{ target: Benchmark }} */ { target }) => {
      const { median } = spread(target.stats.sample)
      times[target.name ?? ''].push((median * 1e9) / BATCH)
    })
    suite.on('error', (/** @type {{ target: { error: unknown } }} */ { target }) => {
      throw target.error
    })
    suite.run()
  }
  return times
}
