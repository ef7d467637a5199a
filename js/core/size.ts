import { VoloError } from './errors.js'

/** A size: bytes, or a number with a unit of 1024: `'64KiB'`, `'4MiB'`, `'1GiB'`. */
export type Size = number | `${number}${'B' | 'KiB' | 'MiB' | 'GiB'}`

const units: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }

/**
 * A size in bytes.
 * @param what Names the option in the error: `maxFrameSize`.
 * @throws VoloError INVALID_ARGUMENT if it is not a size, negative, or not whole.
 */
export function bytes(value: Size, what = 'size'): number {
  const match = typeof value === 'string' ? /^(\d+(?:\.\d+)?)(B|KiB|MiB|GiB)$/.exec(value) : null
  const count = match === null ? value : Number(match[1]) * units[match[2]]
  if (typeof count === 'number' && Number.isSafeInteger(count) && count >= 0) return count
  const shown = typeof value === 'string' ? `'${value}'` : String(value)
  throw new VoloError(
    'INVALID_ARGUMENT',
    `${what} is ${shown}, which is no size; write bytes (4096) or a number with a unit ('64KiB', '4MiB')`,
  )
}
