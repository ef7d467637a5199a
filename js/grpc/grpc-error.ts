import { VoloError, type ErrorOptions } from '../core/errors.js'
import { Status, type Code } from '../core/status.js'
import { decodeStatusDetails, encodeStatusDetails, type ErrorDetail } from './status-details.js'
import { Metadata } from '../core/metadata.js'

/** What a {@link GrpcError} may carry beside its message. */
export interface GrpcErrorOptions extends Omit<ErrorOptions, 'details'> {
  /** Messages that say more (`google.rpc.BadRequest`, `google.rpc.RetryInfo`, …), packed: they travel as `grpc-status-details-bin`. */
  readonly details?: readonly ErrorDetail[]
}

/**
 * The status of a gRPC call that is not OK. A handler throws one to answer with it; a client rejects with one.
 *
 * @example
 * throw new GrpcError('NOT_FOUND', `there is no item ${id}`)
 */
export class GrpcError extends VoloError {
  declare readonly details: readonly ErrorDetail[]

  constructor(code: Code, message: string, options: GrpcErrorOptions = {}) {
    super(code, message, { ...options, details: options.details ?? [] })
  }
}
Object.defineProperty(GrpcError.prototype, 'name', { value: 'GrpcError', configurable: true, writable: true })

/** Header of the rich details. */
const DETAILS = 'grpc-status-details-bin'

/** The trailing metadata that an error is answered with, beside those of the call. */
export function errorMetadata(error: VoloError): Metadata | undefined {
  const details = Array.isArray(error.details) ? (error.details as readonly ErrorDetail[]) : []
  if (details.length === 0) return error.metadata
  const metadata = new Metadata(error.metadata ?? [])
  metadata.setBinary(DETAILS, encodeStatusDetails(Status[error.code], error.message, details))
  return metadata
}

/** The error a client rejects with, from what its peer answered. */
export function errorOf(code: Code, message: string, metadata: Metadata): GrpcError {
  const packed = metadata.getBinary(DETAILS)
  const details = packed === undefined ? [] : decodeStatusDetails(packed)
  return new GrpcError(code, message, { metadata, details, sent: 'yes' })
}
