/** `google.rpc.Status` (google/rpc/status.proto), which carries the rich details of an error, by hand: three fields, and no schema to load. */

/** A packed message: `google.protobuf.Any`. */
export interface ErrorDetail {
  /** `type.googleapis.com/google.rpc.BadRequest` */
  readonly typeUrl: string
  readonly value: Uint8Array
}

const LENGTH_DELIMITED = 2
const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** `Status { code = 1; message = 2; details = 3 }` */
export function encodeStatusDetails(code: number, message: string, details: readonly ErrorDetail[]): Uint8Array {
  const parts: number[] = [...tag(1, 0), ...varint(code), ...delimited(2, encoder.encode(message))]
  for (const { typeUrl, value } of details) {
    parts.push(...delimited(3, [...delimited(1, encoder.encode(typeUrl)), ...delimited(2, value)]))
  }
  return Uint8Array.from(parts)
}

/** The details of a status; what is damaged is left out, for the error itself counts more than what it says besides. */
export function decodeStatusDetails(bytes: Uint8Array): ErrorDetail[] {
  const details: ErrorDetail[] = []
  for (const [field, value] of fieldsOf(bytes)) {
    if (field !== 3) continue
    let typeUrl = ''
    let packed = new Uint8Array()
    for (const [inner, content] of fieldsOf(value)) {
      if (inner === 1) typeUrl = decoder.decode(content)
      else if (inner === 2) packed = content.slice()
    }
    details.push({ typeUrl, value: packed })
  }
  return details
}

/** Length-delimited fields of a message; others are passed over. Ends at what makes no sense. */
function* fieldsOf(bytes: Uint8Array): Generator<[field: number, value: Uint8Array]> {
  let at = 0
  const next = (): number => {
    let value = 0
    for (let shift = 0; shift < 35 && at < bytes.length; shift += 7) {
      const byte = bytes[at]
      at += 1
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    at = Infinity
    return 0
  }
  while (at < bytes.length) {
    const key = next()
    const field = key >>> 3
    switch (key & 7) {
      case 0:
        next()
        break
      case 1:
        at += 8
        break
      case LENGTH_DELIMITED: {
        const length = next()
        const end = at + length
        if (end > bytes.length) return
        yield [field, bytes.subarray(at, end)]
        at = end
        break
      }
      case 5:
        at += 4
        break
      default:
        return
    }
  }
}

function tag(field: number, type: number): number[] {
  return varint((field << 3) | type)
}

function delimited(field: number, value: ArrayLike<number>): number[] {
  return [...tag(field, LENGTH_DELIMITED), ...varint(value.length), ...Array.from(value)]
}

function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  while (rest > 127) {
    bytes.push((rest & 127) | 128)
    rest >>>= 7
  }
  bytes.push(rest)
  return bytes
}
