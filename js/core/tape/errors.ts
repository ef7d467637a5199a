/** Errors of values that do not fit the IDL, and the words they use. */
import { VoloError } from '../errors.js'

/**
 * A value has another type than the IDL says, or a required one is absent.
 *
 * The message begins with the path of the value: `GetItemResponse.item.id: expected bigint, got number 12; write 12n`.
 */
export class TapeTypeError extends VoloError {
  /** Where the value stands: `GetItemResponse.item.extra["colour"]`, `Cart.items[3]`. */
  readonly path: string
  /** What is wrong with it: the message without the path. */
  readonly reason: string

  constructor(path: string, reason: string) {
    super('INVALID_ARGUMENT', `${path}: ${reason}`)
    this.path = path
    this.reason = reason
  }
}
Object.defineProperty(TapeTypeError.prototype, 'name', { value: 'TapeTypeError', configurable: true, writable: true })

/** A number lies outside its type's range, or a 64-bit integer has no exact number. */
export class TapeRangeError extends TapeTypeError {}
Object.defineProperty(TapeRangeError.prototype, 'name', { value: 'TapeRangeError', configurable: true, writable: true })

/** What the IDL asks for, in the words of JavaScript. */
export type Expected =
  | 'boolean'
  | 'i8'
  | 'i16'
  | 'i32'
  | 'sint32'
  | 'sfixed32'
  | 'uint32'
  | 'fixed32'
  | 'enum'
  | 'bigint'
  | 'unsigned bigint'
  | 'number of 64 bits'
  | 'unsigned number of 64 bits'
  | 'float'
  | 'number'
  | 'string'
  | 'uuid'
  | 'Uint8Array'
  | 'array'
  | 'Set'
  | 'Map'
  | 'plain object'
  | 'struct'
  | 'union'
  | 'oneof'

const ranges = {
  i8: [-128, 127],
  i16: [-32768, 32767],
  i32: [-2147483648, 2147483647],
  sint32: [-2147483648, 2147483647],
  sfixed32: [-2147483648, 2147483647],
  uint32: [0, 4294967295],
  fixed32: [0, 4294967295],
  enum: [-2147483648, 2147483647],
} as const

/**
 * Throws what is wrong with `value`.
 * @param path where it stands, as far as the caller knows.
 */
export function wrong(path: string, expected: Expected, value: unknown): never {
  throw mistake(path, expected, value)
}

/** A required field, argument or result is absent. */
export function absent(path: string, what: string): never {
  throw new TapeTypeError(path, `required ${what} is absent`)
}

function mistake(path: string, expected: Expected, value: unknown): TapeTypeError {
  switch (expected) {
    case 'i8':
    case 'i16':
    case 'i32':
    case 'sint32':
    case 'sfixed32':
    case 'uint32':
    case 'fixed32':
    case 'enum': {
      const [low, high] = ranges[expected]
      if (typeof value === 'number') {
        return new TapeRangeError(
          path,
          `expected an integer from ${low} to ${high} (${expected}), got ${describe(value)}`,
        )
      }
      return new TapeTypeError(path, `expected number, got ${describe(value)}${hint('number', value)}`)
    }
    case 'bigint':
      if (typeof value === 'bigint') {
        return new TapeRangeError(
          path,
          `expected an integer from -9223372036854775808 to 9223372036854775807 (i64), got ${describe(value)}`,
        )
      }
      break
    case 'unsigned bigint':
      if (typeof value === 'bigint') {
        return new TapeRangeError(
          path,
          `expected an integer from 0 to 18446744073709551615 (uint64), got ${describe(value)}`,
        )
      }
      return new TapeTypeError(path, `expected bigint, got ${describe(value)}${hint('bigint', value)}`)
    case 'unsigned number of 64 bits':
      if (typeof value === 'number') {
        return new TapeRangeError(
          path,
          `expected an integer from 0 to 9007199254740991 (uint64 as number), got ${describe(value)}; ` +
            'larger ones need code built with --i64 bigint',
        )
      }
      return new TapeTypeError(path, `expected number, got ${describe(value)}${hint('number', value)}`)
    case 'float':
      if (typeof value === 'number') {
        return new TapeRangeError(path, `expected a number of single precision (float), got ${describe(value)}`)
      }
      return new TapeTypeError(path, `expected number, got ${describe(value)}${hint('number', value)}`)
    case 'number of 64 bits':
      if (typeof value === 'number') {
        return new TapeRangeError(
          path,
          `expected an integer from -9007199254740991 to 9007199254740991 (i64 as number), got ${describe(value)}; ` +
            'larger ones need code built with --i64 bigint',
        )
      }
      return new TapeTypeError(path, `expected number, got ${describe(value)}${hint('number', value)}`)
    case 'uuid':
      if (typeof value === 'string') {
        return new TapeTypeError(
          path,
          `expected a uuid such as 123e4567-e89b-12d3-a456-426614174000, got ${describe(value)}`,
        )
      }
      return new TapeTypeError(path, `expected string, got ${describe(value)}`)
    case 'struct':
      return new TapeTypeError(path, `expected object, got ${describe(value)}`)
    case 'union':
    case 'oneof':
      return new TapeTypeError(path, `expected object { case, value }, got ${describe(value)}`)
  }
  return new TapeTypeError(path, `expected ${expected}, got ${describe(value)}${hint(expected, value)}`)
}

/** A 64-bit integer arrived that code built with `--i64 number` cannot hold. */
export function imprecise(path: string, value: bigint): never {
  throw new TapeRangeError(path, `${value} has no exact number; build with --i64 bigint to read it`)
}

function hint(expected: string, value: unknown): string {
  switch (expected) {
    case 'bigint':
      return typeof value === 'number' && Number.isSafeInteger(value) ? `; write ${value}n` : ''
    case 'number':
      return typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? `; write ${value}` : ''
    case 'Uint8Array':
      if (typeof value === 'string') return '; write Buffer.from(text)'
      return value instanceof ArrayBuffer || ArrayBuffer.isView(value) ? '; write new Uint8Array(buffer)' : ''
    case 'Set':
      return Array.isArray(value) ? '; write new Set(array)' : ''
    case 'array':
      return value instanceof Set || ArrayBuffer.isView(value) ? '; write Array.from(it)' : ''
    case 'Map':
      return isPlain(value) ? '; write new Map(entries)' : ''
    case 'plain object':
      return value instanceof Map ? '; write Object.fromEntries(map)' : ''
    default:
      return ''
  }
}

function isPlain(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** A value in a few words: `number 12`, `string "abc"`, `array`, `Map`, `undefined`. */
export function describe(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return `string ${JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)}`
    case 'number':
      return `number ${Object.is(value, -0) ? '-0' : String(value)}`
    case 'bigint': {
      const digits = String(value)
      return `bigint ${digits.length > 40 ? `of ${digits.length} digits` : `${digits}n`}`
    }
    case 'boolean':
      return `boolean ${value}`
    case 'object':
      if (value === null) return 'null'
      if (Array.isArray(value)) return 'array'
      return className(value)
    default:
      return typeof value
  }
}

function className(value: object): string {
  // A proxy or a getter may throw here; the message does without the name then.
  try {
    const prototype: unknown = Object.getPrototypeOf(value)
    if (typeof prototype !== 'object' || prototype === null) return 'object'
    const constructor: unknown = (prototype as { constructor?: unknown }).constructor
    return typeof constructor === 'function' && constructor !== Object && constructor.name !== ''
      ? constructor.name
      : 'object'
  } catch {
    return 'object'
  }
}
