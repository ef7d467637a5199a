/** What writers ask about values, and what they say when the answer is no. */
import { isMap, isSet, isUint8Array } from 'node:util/types'
import { absent, describe, TapeTypeError, wrong, type Expected } from './errors.js'

const { hasOwn } = Object

/** A property of a name that every object inherits, if it is the object's own. */
export function own(object: object, name: string): unknown {
  return hasOwn(object, name) ? (object as Record<string, unknown>)[name] : undefined
}

/** Sets a property even if its name is `__proto__`. */
export function define(object: object, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true })
}

/** Throws for a required value: that it is absent, or what is wrong with it. */
export function required(path: string, expected: Expected, value: unknown): never {
  if (value === undefined || value === null) absent(path, 'value')
  wrong(path, expected, value)
}

/** True for a Set, of this realm or another. */
export function isSetLike(value: unknown): value is Set<unknown> {
  return value instanceof Set || isSet(value)
}

/** True for a Map, of this realm or another. */
export function isMapLike(value: unknown): value is Map<unknown, unknown> {
  return value instanceof Map || isMap(value)
}

/** True for a Uint8Array (a Buffer is one), of this realm or another. */
export function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array || isUint8Array(value)
}

/**
 * True for an object whose own keys are meant: not an array or a view. Other collections have no keys, so {@link checkEmpty}
 * finds them: asking every object for its prototype would cost as much as writing it.
 */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value)
}

/**
 * Throws if a value in which nothing was found cannot have been meant so: an array, a Map, a forgotten promise.
 * @param expected what it should have been.
 */
export function checkEmpty(path: string, expected: Expected, value: object): void {
  if (value instanceof Promise) throw new TapeTypeError(path, 'expected object, got Promise; await it')
  const isCollection =
    Array.isArray(value) ||
    isMapLike(value) ||
    isSetLike(value) ||
    ArrayBuffer.isView(value) ||
    value instanceof ArrayBuffer
  if (isCollection) wrong(path, expected, value)
}

/**
 * A prototype that gives defaults where an object has no property of its own; what it gives is made anew each time, and setting a
 * property sets the object's.
 */
export function defaults(made: readonly (readonly [name: string, make: () => unknown])[]): object {
  const prototype = {}
  for (const [name, make] of made) {
    Object.defineProperty(prototype, name, {
      get: make,
      set(this: object, value: unknown) {
        define(this, name, value)
      },
      configurable: true,
    })
  }
  return prototype
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** True for the canonical text of a uuid, in either case. */
export function isUuid(value: unknown): value is string {
  return typeof value === 'string' && value.length === 36 && uuid.test(value)
}

/** Throws that a union has none of its cases. */
export function noCase(path: string, found: unknown): never {
  if (found === undefined || found === null) throw new TapeTypeError(path, 'no case is set; a union has exactly one')
  throw new TapeTypeError(path, `it has no case ${describe(found)}`)
}

/** Throws that a oneof has no such member. */
export function noMember(path: string, found: unknown): never {
  throw new TapeTypeError(path, `it has no case ${describe(found)}; leave the oneof out if none is meant`)
}

/** Largest number of single precision. */
const MAX_FLOAT = 3.4028234663852886e38

/** True for a number that single precision has room for; it may round it. */
export function isFloat(value: unknown): value is number {
  return typeof value === 'number' && (Math.abs(value) <= MAX_FLOAT || !Number.isFinite(value))
}

/** Throws that a value is nested deeper than the tape allows. */
export function tooDeep(path: string, limit: number): never {
  throw new TapeTypeError(path, `nested deeper than ${limit} levels; is it a cycle?`)
}

/** Throws that a collection gave another number of elements than its size said. */
export function changed(path: string): never {
  throw new TapeTypeError(path, 'its size is not the number of its elements')
}

/** A key that was met at some position of a map. */
interface KnownKey {
  /** Interned by V8. */
  text: string
  /** Keys that were others. */
  misses: number
}

/** Keys met at the positions of the last maps. */
export type KeyCache = readonly KnownKey[]

/** Positions a {@link KeyCache} remembers; later ones share their places. */
const POSITIONS = 16

/** Only every so many misses a place goes over to another key: maps of ever new keys should not pay for each of them. */
const PATIENCE = 8

/**
 * The same string as `key`, but one that V8 has interned if the last maps had it at the same position.
 *
 * Storing under a fresh substring makes V8 look it up in the table of all interned strings, which costs more than all the rest
 * of reading an entry.
 */
export function cachedKey(cache: KeyCache, position: number, key: string): string {
  const known = cache[position & (POSITIONS - 1)]
  return key === known.text ? known.text : otherKey(known, key)
}

function otherKey(known: KnownKey, key: string): string {
  if (known.misses++ % PATIENCE === 0) {
    // The name of a property is interned, and a string of its own, which keeps no text chunk alive.
    ;[known.text] = Object.keys({ [key]: true })
  }
  return key
}

/** A cache for one place in generated code. */
export function keyCache(): KeyCache {
  return Array.from({ length: POSITIONS }, () => ({ text: '', misses: 0 }))
}
