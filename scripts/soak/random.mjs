/** Chance, by the seed of the run. */
import process from 'node:process'

import { built } from '../lib/built.mjs'
import { gaveUp } from './accounts.mjs'

const { seeded } = await built('tests/soundness/random.js')

/** Of the seed that the process was given as its last argument. */
export const random = seeded(Number(process.argv.at(-1)))

/**
 * A whole number from 0 on.
 * @param {number} below
 */
export const whole = (below) => Math.floor(random.below(below))

/**
 * Fires with `gaveUp` after at most `most` milliseconds.
 * @param {number} most
 */
export function abortSoon(most) {
  const controller = new AbortController()
  setTimeout(() => controller.abort(gaveUp), random.below(most))
  return controller.signal
}
