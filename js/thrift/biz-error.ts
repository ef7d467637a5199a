import { VoloError, type ErrorOptions } from '../core/errors.js'
import { headerText, type Headers } from './header-text.js'

/** Names of its parts among the headers (Kitex: pkg/transmeta). */
const STATUS = 'biz-status'
const MESSAGE = 'biz-message'
const EXTRA = 'biz-extra'

/**
 * A business error: an outcome with a number of the service's own, beside the exceptions of the IDL. Over TTHeader it travels in the headers
 * of the answer, as Kitex and Volo have it, and is thrown at the caller; other transports have no place for it, and the caller gets a
 * {@link ThriftApplicationError} with its text.
 *
 * @example
 * throw new BizError(4041, 'no such item', { id: String(id) })
 */
export class BizError extends VoloError {
  /** The service's own number. 32 bits, and not 0, which is no error. */
  readonly statusCode: number
  /** More of it, by name. */
  readonly extra: Readonly<Record<string, string>>

  /**
   * @throws VoloError INVALID_ARGUMENT if the status is 0 or no 32-bit integer.
   */
  constructor(
    statusCode: number,
    message: string,
    extra: Readonly<Record<string, string>> = {},
    options: ErrorOptions = {},
  ) {
    super('UNKNOWN', message, { sent: 'yes', ...options })
    if ((statusCode | 0) !== statusCode || statusCode === 0) {
      throw new VoloError(
        'INVALID_ARGUMENT',
        `a business error has a status of 32 bits that is not 0; ${statusCode} is none`,
      )
    }
    this.statusCode = statusCode
    this.extra = extra
  }
}
Object.defineProperty(BizError.prototype, 'name', { value: 'BizError', configurable: true, writable: true })

/** A business error, from whichever copy of the package. */
export function isBizError(error: unknown): error is BizError {
  return VoloError.is(error) && error.name === 'BizError'
}

export function bizErrorText(error: BizError): string {
  const extra = JSON.stringify(error.extra)
  const text = headerText(STATUS, String(error.statusCode)) + headerText(MESSAGE, error.message)
  return extra === '{}' ? text : text + headerText(EXTRA, extra)
}

/** The business error in an answer's headers, if there is one. */
export function bizErrorOf(headers: Headers): BizError | undefined {
  const find = (name: string): string | undefined => headers.find(([other]) => other === name)?.[1]
  const status = Number(find(STATUS) ?? 0) | 0
  if (status === 0) return undefined
  return new BizError(status, find(MESSAGE) ?? '', extraOf(find(EXTRA)))
}

/** What is no object of strings is shown as it came: the error matters more than its trimmings. */
function extraOf(text: string | undefined): Record<string, string> {
  if (text === undefined || text === '') return {}
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return { [EXTRA]: text }
  }
  if (typeof parsed !== 'object' || parsed === null) return { [EXTRA]: text }
  return Object.fromEntries(Object.entries(parsed).map(([name, value]) => [name, String(value)]))
}

/** True for the names that {@link bizErrorOf} reads. */
export function isBizName(name: string): boolean {
  return name === STATUS || name === MESSAGE || name === EXTRA
}
