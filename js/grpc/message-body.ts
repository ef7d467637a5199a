/** What the bodies of gRPC's messages on the tape begin with. See "Messages" in docs/architecture.md. */
import type { InTape } from '../core/tape/reader.js'
import type { Compression } from './grpc-options.js'

/** Flags of a message's first slot. */
export const Flags = {
  /** Its receiver answers with CREDIT. */
  WANTS_CREDIT: 1,
  /** It is not compressed. */
  UNCOMPRESSED: 2,
  WAIT_FOR_READY: 4,
  /** Of a REQUEST: the response's headers are wanted as soon as they come. */
  HEADERS_EARLY: 64,
} as const

/**
 * The bits of flags that say how a call's messages are compressed: of a REQUEST, and of HEADERS or RESPONSE, whichever comes first.
 * @param how undefined for what the options say.
 */
export function encodingBits(how: Compression | false | undefined): number {
  if (how === undefined) return 0
  return (how === false ? 1 : 2 + compressions.indexOf(how)) << ENCODING_SHIFT
}

/** How messages can be compressed, in the order of their numbers on the tape. */
export const compressions: readonly Compression[] = ['gzip', 'deflate', 'zstd']

const ENCODING_SHIFT = 3

/** Slots of a body, counted from its first. */
export const Body = {
  /** Pointer to the message, or status; flags. */
  MESSAGE: 0,
  /** REQUEST. */
  TIMEOUT: 1,
  METADATA: 2,
  CONNECTION: 3,
  /** HEADERS of a server. */
  FLAGS: 1,
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
