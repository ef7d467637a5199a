/** Version of the tape's layout that these readers and writers speak; `docs/architecture.md` describes it. */
export const LAYOUT_VERSION = 1

/** Slots of a message's header. */
export const HEADER_SLOTS = 4

/** First slot behind the head of the in tape. */
export const IN_START = 1

/** First slot behind the head of the out tape. */
export const OUT_START = 2

/** Kinds of messages, as they stand in the first slot of a header. */
export const Kind = {
  CALL: 1,
  REPLY: 2,
  FAILURE: 3,
  EXCEPTION: 4,
  GONE: 5,
  CLOSED: 6,
  EVENT: 7,
  CANCEL: 8,
  DONE: 9,
  HANDED: 10,
  RAW_CALL: 11,
  RAW_REPLY: 12,
  STATE: 13,
  CONNECT: 14,
  REQUEST: 20,
  RESPONSE: 21,
  STREAM_MESSAGE: 22,
  STREAM_END: 23,
  HEADERS: 24,
  CREDIT: 25,
} as const
export type Kind = (typeof Kind)[keyof typeof Kind]

/** Marks a oneway CALL in the header's method on the in tape. */
export const ONEWAY = 0x40000000

/** Marks a Thrift message with a tail of headers in its method. */
export const HEADERS = 0x20000000

/** The bits of a header's method that are its index. */
export const METHOD = 0x1fffffff

/** Flags in a string's length. */
export const IN_BYTES = -0x80000000
export const ASCII = 0x40000000

/** In the low half of a binary's slot: it lies in an array beside the tape. */
export const ELSEWHERE = -0x80000000

/** The other bits of that half. */
export const OFFSET_MASK = 0x7fffffff

/** Bytes from which a binary is lent to Rust instead of being copied to the tape. */
export const LARGE = 64 * 1024

/** The other bits of a string's length. */
export const LENGTH_MASK = 0x3fffffff

/** Three buffers of a tape; slots are 8 bytes each. */
export interface TapeSizes {
  readonly slots: number
  readonly text: number
  readonly bytes: number
}

/** Buffer's fast codecs, which Node's types leave out. */
export interface FastBuffer extends Buffer {
  latin1Slice(start: number, end: number): string
  utf8Slice(start: number, end: number): string
  utf8Write(text: string, start: number, length: number): number
}

/** A Buffer over the same memory as `bytes`. */
export function fastBuffer(bytes: Uint8Array): FastBuffer {
  return Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength) as FastBuffer
}
