/** `google.protobuf.Timestamp` and `Duration` as text. */

/** What both are made of. */
export interface Time {
  readonly seconds: bigint
  readonly nanos: number
}

const NANOS = 1_000_000_000
/** 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z. */
const FIRST = -62_135_596_800n
const LAST = 253_402_300_799n
/** About 10,000 years. */
const LONGEST = 315_576_000_000n

/** RFC 3339 in UTC; undefined if the time is not between the years 1 and 9999. */
export function timestampText({ seconds, nanos }: Time): string | undefined {
  if (seconds < FIRST || seconds > LAST || nanos < 0 || nanos >= NANOS) return undefined
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19)
  return `${whole}${fraction(nanos)}Z`
}

const timestamp = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))$/

/** Reads RFC 3339; undefined if it is none. */
export function parseTimestamp(text: string): Time | undefined {
  const match = timestamp.exec(text)
  if (match === null) return undefined
  const [, whole, digits = '', sign, hours = '0', minutes = '0'] = match as unknown as [
    string,
    string,
    ...(string | undefined)[],
  ]
  const local = Date.parse(`${whole}Z`)
  // A date that is none, as February 30, becomes another one.
  if (Number.isNaN(local) || new Date(local).toISOString().slice(0, 19) !== whole) return undefined
  if (Number(hours) > 23 || Number(minutes) > 59) return undefined
  const offset = (sign === '-' ? -60 : 60) * (Number(hours) * 60 + Number(minutes))
  const seconds = BigInt(local / 1000 - offset)
  if (seconds < FIRST || seconds > LAST) return undefined
  return { seconds, nanos: Number(digits.padEnd(9, '0')) }
}

/** Seconds with a fraction, `1.5s`; undefined if it is longer than 10,000 years, or its parts have different signs. */
export function durationText({ seconds, nanos }: Time): string | undefined {
  if (seconds < -LONGEST || seconds > LONGEST || nanos <= -NANOS || nanos >= NANOS) return undefined
  if ((seconds > 0n && nanos < 0) || (seconds < 0n && nanos > 0)) return undefined
  const minus = seconds < 0n || nanos < 0 ? '-' : ''
  return `${minus}${seconds < 0n ? -seconds : seconds}${fraction(Math.abs(nanos))}s`
}

const duration = /^(-?)(\d{1,12})(?:\.(\d{1,9}))?s$/

/** Reads what {@link durationText} gives; undefined if it is none. */
export function parseDuration(text: string): Time | undefined {
  const match = duration.exec(text)
  if (match === null) return undefined
  const [, minus, whole, digits = ''] = match as unknown as [string, string, string, string | undefined]
  const seconds = BigInt(whole)
  if (seconds > LONGEST) return undefined
  const nanos = Number(digits.padEnd(9, '0'))
  // No minus zero.
  return minus === '' ? { seconds, nanos } : { seconds: -seconds, nanos: nanos === 0 ? 0 : -nanos }
}

/** None, three, six or nine digits. */
function fraction(nanos: number): string {
  if (nanos === 0) return ''
  const digits = String(nanos).padStart(9, '0')
  if (digits.endsWith('000000')) return `.${digits.slice(0, 3)}`
  return digits.endsWith('000') ? `.${digits.slice(0, 6)}` : `.${digits}`
}
