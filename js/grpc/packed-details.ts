import type { MessageDescriptor } from '../core/descriptor.js'
import { fromBinary, toBinary } from './message-codec.js'
import type { ErrorDetail } from './status-details.js'

/** What a type URL begins with by custom; only what follows the last slash counts. */
const PREFIX = 'type.googleapis.com/'

/**
 * A message as a detail of an error.
 *
 * @throws TapeTypeError, TapeRangeError naming the path of a value that is wrong.
 * @example
 * throw new GrpcError('INVALID_ARGUMENT', 'the title is empty', {
 *   details: [packDetail(BadRequestSchema, { fieldViolations: [{ field: 'title', description: 'it is empty' }] })],
 * })
 */
export function packDetail<Message, Init>(schema: MessageDescriptor<Message, Init>, message: Init): ErrorDetail {
  return { typeUrl: `${PREFIX}${schema.name}`, value: toBinary(schema, message) }
}

/**
 * The details of one kind that an error carries; none if it has no details, or is no error of gRPC.
 *
 * @throws VoloError INVALID_ARGUMENT if such a detail is damaged.
 * @example
 * const [retry] = findDetails(error, RetryInfoSchema)
 */
export function findDetails<Message, Init>(error: unknown, schema: MessageDescriptor<Message, Init>): Message[] {
  return detailsOf(error)
    .filter(({ typeUrl }) => typeUrl.slice(typeUrl.lastIndexOf('/') + 1) === schema.name)
    .map(({ value }) => fromBinary(schema, value))
}

function detailsOf(error: unknown): readonly ErrorDetail[] {
  const details: unknown = typeof error === 'object' && error !== null && 'details' in error ? error.details : undefined
  return Array.isArray(details) ? details.filter(isDetail) : []
}

function isDetail(value: unknown): value is ErrorDetail {
  if (typeof value !== 'object' || value === null) return false
  const { typeUrl, value: packed } = value as Partial<ErrorDetail>
  return typeof typeUrl === 'string' && packed instanceof Uint8Array
}
