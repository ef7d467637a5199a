'use strict'
// Whether two values of the generated types are the same on the wire.

const { inspect, isDeepStrictEqual } = require('node:util')

/** Fields that are sets, in which order means nothing; npm's thrift has them as arrays. */
const SETS = new Set(['number_set', 'text_set', 'mixed'])

/**
 * A plain, comparable form: 64-bit numbers as bigint, binary as hex, sets sorted, `undefined` and `null` left out.
 * @param set whether arrays in it are sets
 */
function plain(value, set = false) {
  if (value === null || typeof value !== 'object') return value
  if (Buffer.isBuffer(value)) return `hex ${value.toString('hex')}`
  if (Buffer.isBuffer(value.buffer)) return value.buffer.readBigInt64BE(value.offset)
  if (Array.isArray(value)) {
    const items = value.map((item) => plain(item, set))
    return set && typeof items[0] !== 'object' ? items.sort() : items
  }
  const out = new Map()
  for (const key of Object.keys(value).sort()) {
    const field = value[key]
    if (field !== undefined && field !== null) out.set(key, plain(field, set || SETS.has(key)))
  }
  return out
}

/** The innermost place where two plain values differ, as a path and what is there. */
function difference(a, b, path = '') {
  const entries = (value) => (value instanceof Map ? value : Array.isArray(value) ? new Map(value.entries()) : undefined)
  const [left, right] = [entries(a), entries(b)]
  for (const key of left && right ? new Set([...left.keys(), ...right.keys()]) : []) {
    const [x, y] = [left.get(key), right.get(key)]
    if (!isDeepStrictEqual(x, y)) return difference(x, y, `${path}/${key}`)
  }
  const show = (value) => inspect(value, { depth: 4, breakLength: Infinity, maxArrayLength: 20, maxStringLength: 200 })
  return `at ${path || 'the top'}\n expected ${show(b)}\n      got ${show(a)}`
}

/** Throws an error that shows where they differ, unless they are the same. `set` says that they are sets themselves. */
exports.same = function same(what, got, expected, set = false) {
  const [a, b] = [plain(got, set), plain(expected, set)]
  if (!isDeepStrictEqual(a, b)) throw new Error(`${what} changed the value ${difference(a, b)}`)
}
