import { VoloError } from './errors.js'

/** A time: milliseconds, or a number with a unit: `'250us'`, `'200ms'`, `'3s'`, `'1.5m'`, `'1h'`. */
export type Duration = number | `${number}${'us' | 'ms' | 's' | 'm' | 'h'}`

const units: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/**
 * A duration in milliseconds.
 * @param what Names the option in the error: `timeout`.
 * @throws VoloError INVALID_ARGUMENT if it is not a duration, or negative.
 */
export function milliseconds(value: Duration, what = 'duration'): number {
  if (typeof value === 'number') {
    if (value >= 0) return value
    throw invalid(value, what)
  }
  const match = typeof value === 'string' ? /^(\d+(?:\.\d+)?)(us|ms|s|m|h)$/.exec(value) : null
  if (match === null) throw invalid(value, what)
  return Number(match[1]) * units[match[2]]
}

function invalid(value: unknown, what: string): VoloError {
  const shown = typeof value === 'string' ? `'${value}'` : String(value)
  return new VoloError(
    'INVALID_ARGUMENT',
    `${what} is ${shown}, which is no duration; write milliseconds (3000) or a number with a unit ('200ms', '3s', '1m')`,
  )
}
