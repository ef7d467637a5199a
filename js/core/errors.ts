import type { Metadata } from './metadata.js'
import { Status, type Code } from './status.js'

/** Marks instances across two copies of the package, where `instanceof` fails. */
const brand: unique symbol = Symbol.for('volo-js.error')

/** May the peer have processed the call? `no` is safe to repeat, `maybe` only if the method is idempotent. */
export type Sent = 'no' | 'maybe' | 'yes'

/** What an error may carry beside its message. */
export interface ErrorOptions {
  /** Default `no`. */
  readonly sent?: Sent
  /** Anything a caller may want to read; never sent where the protocol has no place for it. */
  readonly details?: unknown
  /** What came with the answer. */
  readonly metadata?: Metadata
  readonly cause?: unknown
}

/**
 * The root of every error of this package.
 *
 * A handler or a layer throws one to answer with it; a client rejects with one. Compare `code`, not the message.
 *
 * @example
 * throw new VoloError('RESOURCE_EXHAUSTED', 'over 1000 calls/s; try again later')
 */
export class VoloError extends Error {
  /** The outcome's name, as gRPC spells it. */
  readonly code: Code
  /** May the peer have processed the call? */
  readonly sent: Sent
  readonly details: unknown
  readonly metadata: Metadata | undefined

  constructor(code: Code, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.sent = options.sent ?? 'no'
    this.details = options.details
    this.metadata = options.metadata
  }

  /** The outcome's number. */
  get status(): number {
    return Status[this.code]
  }

  /** @internal */
  get [brand](): true {
    return true
  }

  /** True for an error of this package, from whichever copy of it. */
  static is(error: unknown): error is VoloError {
    return typeof error === 'object' && error !== null && (error as { [brand]?: unknown })[brand] === true
  }
}

// On the prototype, so that the name costs nothing an error and is not listed as a field of it.
Object.defineProperty(VoloError.prototype, 'name', { value: 'VoloError', configurable: true, writable: true })

/** The connection failed: it could not be made, broke, was refused by a limit, or closed while calls were in flight. */
export class TransportError extends VoloError {}
Object.defineProperty(TransportError.prototype, 'name', { value: 'TransportError', configurable: true, writable: true })

/** The peer sent bytes that are not the protocol, or more than the limits allow. */
export class ThriftProtocolError extends VoloError {}
Object.defineProperty(ThriftProtocolError.prototype, 'name', {
  value: 'ThriftProtocolError',
  configurable: true,
  writable: true,
})

/** Types of TApplicationException (apache/thrift, doc/specs/thrift-rpc.md, "Response struct"). */
export const ThriftApplicationErrorType = {
  UNKNOWN: 0,
  UNKNOWN_METHOD: 1,
  INVALID_MESSAGE_TYPE: 2,
  WRONG_METHOD_NAME: 3,
  BAD_SEQUENCE_ID: 4,
  MISSING_RESULT: 5,
  INTERNAL_ERROR: 6,
  PROTOCOL_ERROR: 7,
  INVALID_TRANSFORM: 8,
  INVALID_PROTOCOL: 9,
  UNSUPPORTED_CLIENT_TYPE: 10,
} as const

/** A TApplicationException: the answer of a Thrift server that could not run the method, or whose handler failed. */
export class ThriftApplicationError extends VoloError {
  /** One of {@link ThriftApplicationErrorType}; others are passed through. */
  readonly type: number

  /**
   * @param type Default INTERNAL_ERROR (6).
   */
  constructor(message: string, type: number = ThriftApplicationErrorType.INTERNAL_ERROR, options: ErrorOptions = {}) {
    super(codeOfApplicationError(type), message, { sent: 'yes', ...options })
    this.type = type
  }
}
Object.defineProperty(ThriftApplicationError.prototype, 'name', {
  value: 'ThriftApplicationError',
  configurable: true,
  writable: true,
})

function codeOfApplicationError(type: number): Code {
  switch (type) {
    case ThriftApplicationErrorType.UNKNOWN:
      return 'UNKNOWN'
    case ThriftApplicationErrorType.UNKNOWN_METHOD:
      return 'UNIMPLEMENTED'
    case ThriftApplicationErrorType.PROTOCOL_ERROR:
      return 'INVALID_ARGUMENT'
    default:
      return 'INTERNAL'
  }
}
