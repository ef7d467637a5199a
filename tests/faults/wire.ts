/** Messages of the strict binary protocol, made byte by byte, so that they can be made wrong (apache/thrift, doc/specs/thrift-binary-protocol.md). */

export const MessageType = { CALL: 1, REPLY: 2, EXCEPTION: 3, ONEWAY: 4 } as const
export const Type = { STOP: 0, I32: 8, STRING: 11, STRUCT: 12, LIST: 15 } as const

export function i32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

/** A string or binary; `length` instead of the real one. */
export function text(value: string | Uint8Array, length?: number): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([i32(length ?? bytes.length), bytes])
}

export function field(type: number, id: number, value: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([type, id >> 8, id & 0xff]), value])
}

export const stop = Buffer.from([Type.STOP])

/** Fields and the end of their struct. */
export function struct(...fields: Uint8Array[]): Buffer {
  return Buffer.concat([...fields, stop])
}

/** A message; `nameLength` instead of the real one. */
export function message(type: number, name: string, sequence: number, body: Uint8Array, nameLength?: number): Buffer {
  return Buffer.concat([Buffer.from([0x80, 0x01, 0, type]), text(name, nameLength), i32(sequence), body])
}

/** A message behind its length, or behind another one. */
export function framed(bytes: Uint8Array, length?: number): Buffer {
  return Buffer.concat([i32(length ?? bytes.length), bytes])
}

/** A call of `Ping`, whose answer is {@link pong} of the same text and sequence id. */
export function ping(value: string, sequence = 1): Buffer {
  return message(MessageType.CALL, 'Ping', sequence, struct(field(Type.STRING, 1, text(value))))
}

export function pong(value: string, sequence = 1): Buffer {
  return message(MessageType.REPLY, 'Ping', sequence, struct(field(Type.STRING, 0, text(value))))
}

export function echoBinary(value: Uint8Array, sequence = 1): Buffer {
  return message(MessageType.CALL, 'EchoBinary', sequence, struct(field(Type.STRING, 1, text(value))))
}

export interface Message {
  readonly type: number
  readonly name: string
  readonly sequence: number
  readonly body: Buffer
}

export function read(bytes: Buffer): Message {
  const nameLength = bytes.readInt32BE(4)
  return {
    type: bytes[3],
    name: bytes.toString('utf8', 8, 8 + nameLength),
    sequence: bytes.readInt32BE(8 + nameLength),
    body: bytes.subarray(12 + nameLength),
  }
}
