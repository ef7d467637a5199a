/** What property tests of codecs have in common. */
import fc from 'fast-check'
import { TapeTypeError } from '../core/tape/errors.js'
import { garbage } from './arbitrary.test.helper.js'
import { plain } from './plain.test.helper.js'

/** Values tried with each schema: making the codecs of one takes longer than using them. */
export const VALUES = 8

/** Where each of these values is spoilt, and by what: the arguments of {@link spoil}. */
export const spoilers = fc.array(fc.tuple(fc.array(fc.nat(100), { maxLength: 4 }), garbage), {
  minLength: VALUES,
  maxLength: VALUES,
})

/** `fc.assert` whose error says what differed, too: AVA does not print causes. */
export function check(property: fc.IRawProperty<unknown>, numRuns: number): void {
  try {
    fc.assert(property as fc.IProperty<unknown>, { numRuns })
  } catch (error) {
    const { message, cause } = error as Error
    const difference = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
    throw new Error(`${difference}\n${message}`, { cause: error })
  }
}

/** What an attempt to write and read a value gives, in a form that can be compared, or with which words the value is refused. */
export function outcome(attempt: () => unknown): { readonly value: unknown } | { readonly refusal: string } {
  try {
    return { value: plain(attempt()) }
  } catch (error) {
    if (!(error instanceof TapeTypeError)) throw error
    return { refusal: `${error.name}: ${error.message}` }
  }
}

/** Replaces something inside of a value. */
export function spoil(value: unknown, path: readonly number[], by: unknown): unknown {
  const [step, ...rest] = path
  if (step === undefined) return by
  if (Array.isArray(value) && value.length > 0) {
    return (value as unknown[]).map((item, index) => (index === step % value.length ? spoil(item, rest, by) : item))
  }
  if (value instanceof Set && value.size > 0) return new Set(spoil([...value], path, by) as unknown[])
  if (value instanceof Map && value.size > 0) {
    const at = step % (2 * value.size)
    return new Map(
      [...value].map(([key, item], index) => [
        at === 2 * index ? spoil(key, rest, by) : key,
        at === 2 * index + 1 ? spoil(item, rest, by) : item,
      ]),
    )
  }
  if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) {
    const entries = Object.entries(value)
    if (entries.length === 0) return by
    return Object.fromEntries(
      entries.map(([key, item], index) => [key, index === step % entries.length ? spoil(item, rest, by) : item]),
    )
  }
  return by
}
