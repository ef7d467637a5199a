/** A row of a result: what was measured, against whom, and whether it is enough. */
import { ratio, spread } from './statistics.mjs'

/** @typedef {import('./statistics.mjs').Spread} Spread */

/**
 * @typedef {object} Row
 * @property {string} name
 * @property {string} unit of `ours` and `theirs`
 * @property {Spread} ours
 * @property {string} [peer] who it is compared with
 * @property {Spread} [theirs]
 * @property {Spread} [ratio] ours to theirs, round by round
 * @property {Target} [target] for the ratio where there is one, else for `ours`; its median counts
 * @property {'pass' | 'short' | 'info'} verdict `info`: a figure without a target
 * @property {string} [remark]
 * @property {string} [group] of the suite that it belongs to
 * @property {{ machine: object, settings: object }} [run] how it was measured, where that is not how the others of its file were
 */

/**
 * @typedef {object} Target
 * @property {'at least' | 'at most'} is
 * @property {number} value
 */

/**
 * @param {number} value
 * @returns {Target}
 */
export const atLeast = (value) => ({ is: 'at least', value })

/**
 * @param {number} value
 * @returns {Target}
 */
export const atMost = (value) => ({ is: 'at most', value })

/**
 * @param {Target | undefined} target
 * @param {number} value
 * @returns {Row['verdict']}
 */
function judge(target, value) {
  if (target === undefined) return 'info'
  return (target.is === 'at least' ? value >= target.value : value <= target.value) ? 'pass' : 'short'
}

/**
 * Ours against a peer, in rounds that took turns.
 * @param {string} name
 * @param {string} unit
 * @param {readonly number[]} ours
 * @param {string} peer
 * @param {readonly number[]} theirs
 * @param {Target} [target] for the ratio
 * @param {string} [remark]
 * @returns {Row}
 */
export function against(name, unit, ours, peer, theirs, target, remark) {
  const both = ratio(ours, theirs)
  return {
    name,
    unit,
    ours: spread(ours),
    peer,
    theirs: spread(theirs),
    ratio: both,
    ...(target === undefined ? {} : { target }),
    verdict: judge(target, both.median),
    ...(remark === undefined ? {} : { remark }),
  }
}

/**
 * A figure of ours alone.
 * @param {string} name
 * @param {string} unit
 * @param {readonly number[]} ours
 * @param {Target} [target]
 * @param {string} [remark]
 * @returns {Row}
 */
export function alone(name, unit, ours, target, remark) {
  const values = spread(ours)
  return {
    name,
    unit,
    ours: values,
    ...(target === undefined ? {} : { target }),
    verdict: judge(target, values.median),
    ...(remark === undefined ? {} : { remark }),
  }
}

/**
 * A number with as many digits as say something.
 * @param {number} value
 */
export function figure(value) {
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-US')
  if (Math.abs(value) >= 100) return value.toFixed(0)
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2)
}

/**
 * What the target is for: the ratio where there is one.
 * @param {Row} row
 */
export function judged(row) {
  return row.ratio ?? row.ours
}

/** @param {Row} row */
export function targetText({ target }) {
  return target === undefined ? '' : `${target.is === 'at least' ? '≥' : '≤'} ${figure(target.value)}`
}
