import { VoloError } from './errors.js'

/**
 * Errors of this package that were not meant as an answer: they come from calls the handler made, and tell of hosts and types
 * that are not the peer's business. By name, for they may come from another copy of the package.
 */
const internal: ReadonlySet<string> = new Set([
  'TransportError',
  'ThriftProtocolError',
  'TapeTypeError',
  'TapeRangeError',
])

/** Is this an answer that a handler chose to give? Everything else is an internal error. */
export function isAnswer(error: unknown): error is VoloError {
  return VoloError.is(error) && !internal.has(error.name)
}
