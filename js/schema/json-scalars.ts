/** Scalars from JSON. */
import { isFloat, isUuid } from '../core/tape/checks.js'
import { describe, TapeTypeError } from '../core/tape/errors.js'
import type { Int64 } from './model.js'
import { isLong, isUnsigned, type Kind } from './types.js'

/** A scalar from its JSON. */
export function scalarOf(kind: Kind, int64: Int64, json: unknown, path: string): unknown {
  switch (kind) {
    case 'bool':
      return typeof json === 'boolean' ? json : wrong(path, 'true or false', json)
    case 'string':
      return textOf(json, path)
    case 'uuid':
      return isUuid(json) ? json : wrong(path, 'a uuid such as 123e4567-e89b-12d3-a456-426614174000', json)
    case 'binary':
      return bytesOf(json, path)
    case 'float':
    case 'double':
      return realOf(kind, json, path)
    default:
      return integerOf(kind, int64, json, path)
  }
}

/** A key of a map from the name it is in JSON. */
export function keyOf(kind: Kind, int64: Int64, name: string, path: string): unknown {
  if (kind === 'bool')
    return name === 'true' ? true : name === 'false' ? false : wrong(path, 'the key true or false', name)
  return scalarOf(kind, int64, name, path)
}

/** Throws what a value of JSON should have been. */
export function wrong(path: string, expected: string, json: unknown): never {
  throw new TapeTypeError(path, `expected ${expected}, got ${describe(json)}`)
}

/** Text, which has to be Unicode. */
export function textOf(json: unknown, path: string): string {
  if (typeof json !== 'string') wrong(path, 'a string', json)
  if (/\p{Surrogate}/u.test(json)) throw new TapeTypeError(path, 'the string has half of a surrogate pair')
  return json
}

/** Both alphabets of base64, with padding or without. */
function bytesOf(json: unknown, path: string): Uint8Array {
  if (typeof json !== 'string') wrong(path, 'a string of base64', json)
  const [digits] = json.split('=', 1) as [string]
  const padding = json.length - digits.length
  const isBase64 =
    /^[A-Za-z0-9+/_-]*={0,2}$/.test(json) && digits.length % 4 !== 1 && (padding === 0 || json.length % 4 === 0)
  if (!isBase64) wrong(path, 'a string of base64', json)
  return new Uint8Array(Buffer.from(json, 'base64'))
}

/** A number as JSON writes it. */
const number = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/

const named = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
])

function realOf(kind: 'float' | 'double', json: unknown, path: string): number {
  if (typeof json === 'string') {
    const special = named.get(json)
    if (special !== undefined) return special
    if (!number.test(json)) wrong(path, 'a number', json)
  } else if (typeof json !== 'number' && typeof json !== 'bigint') {
    wrong(path, 'a number', json)
  }
  const value = Number(json)
  if (!Number.isFinite(value) || (kind === 'float' && !isFloat(value)))
    wrong(path, `a number that a ${kind} can be`, json)
  return kind === 'float' ? Math.fround(value) : value
}

function integerOf(kind: Kind, int64: Int64, json: unknown, path: string): number | bigint {
  const unsigned = isUnsigned(kind)
  const value = wholeOf(json)
  const long = isLong(kind)
  const bits = long ? 64 : kind === 'i8' ? 8 : kind === 'i16' ? 16 : 32
  if (value === undefined || (unsigned ? BigInt.asUintN(bits, value) : BigInt.asIntN(bits, value)) !== value) {
    return wrong(path, `an integer of ${bits} bits${unsigned ? ' without a sign' : ''}`, json)
  }
  if (long && int64 === 'bigint') return value
  if (!Number.isSafeInteger(Number(value))) {
    throw new TapeTypeError(path, `${value} has no exact number; build with --i64 bigint to read it`)
  }
  return Number(value)
}

/** An integer that JSON has as a number or as text, maybe with an exponent or zeros behind a point; undefined for anything else. */
function wholeOf(json: unknown): bigint | undefined {
  switch (typeof json) {
    case 'bigint':
      return json
    case 'number':
      return Number.isInteger(json) ? BigInt(json) : undefined
    case 'string':
      return wholeOfText(json)
    default:
      return undefined
  }
}

/** Digits of the largest integer of 64 bits. */
const MOST_DIGITS = 20
const ZERO = 48

/**
 * The integer that a number of JSON is, to the last digit: `9007199254740993.0` and `1e2` are some. Undefined if it is none, has more than 20
 * digits, or is no number of JSON at all.
 */
export function wholeOfText(text: string): bigint | undefined {
  const match = number.exec(text)
  if (match === null) return undefined
  const [, minus, whole, fraction = '', exponent = '0'] = match as unknown as [string, string, string, ...string[]]
  const digits = whole + fraction
  let end = digits.length
  while (end > 0 && digits.charCodeAt(end - 1) === ZERO) end--
  let start = 0
  while (start < end && digits.charCodeAt(start) === ZERO) start++
  if (start === end) return 0n
  const zeros = Number(exponent) - fraction.length + (digits.length - end)
  if (zeros < 0 || end - start + zeros > MOST_DIGITS) return undefined
  const size = BigInt(digits.slice(start, end) + '0'.repeat(zeros))
  return minus === '' ? size : -size
}
