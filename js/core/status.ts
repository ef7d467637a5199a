/**
 * Names and numbers of outcomes, as gRPC defines them (grpc/grpc, doc/statuscodes.md). Every protocol uses the names; the
 * numbers travel where the protocol has a place for them.
 */
export const Status = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const

/** Name of an outcome that is not success. */
export type Code = Exclude<keyof typeof Status, 'OK'>

const names = Object.keys(Status) as (keyof typeof Status)[]

/** The name of a status number; `UNKNOWN` for 0 and for numbers nobody defined. */
export function codeOf(status: number): Code {
  const name = names[status]
  return name === undefined || name === 'OK' ? 'UNKNOWN' : name
}
