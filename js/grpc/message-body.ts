/** What the bodies of gRPC's messages on the tape begin with. See "Messages" in docs/architecture.md. */
import type { InTape } from '../core/tape/reader.js'

/** Flags of a message's first slot. */
export const Flags = {
  /** Its receiver answers with CREDIT. */
  WANTS_CREDIT: 1,
  WAIT_FOR_READY: 4,
} as const

/** Slots of a body, counted from its first. */
export const Body = {
  /** Pointer to the message, or status; flags. */
  MESSAGE: 0,
  /** REQUEST. */
  TIMEOUT: 1,
  METADATA: 2,
  CONNECTION: 3,
  /** RESPONSE. */
  HEADERS: 1,
  TRAILERS: 2,
  /** STREAM_END. */
  TEXT: 1,
  END_TRAILERS: 2,
  END_HEADERS: 3,
} as const

/** Where a body's message begins; 0 if it has none. */
export function messageAt(tape: InTape, body: number): number {
  const offset = tape.i32[2 * body]
  return offset === 0 ? 0 : body + offset
}
