/** Metadata as it crosses the tape: `name LF value LF name LF value`; the empty string is none. */
import { VoloError } from '../core/errors.js'
import { Metadata } from '../core/metadata.js'

/** Names of a request or answer that belong to the protocol, not to its users (gRPC over HTTP/2, "Requests" and "Responses"). */
const reserved = /^(?::|grpc-(?!status-details-bin$)|content-type$|te$|connection$|host$|transfer-encoding$)/
const validName = /^[0-9a-z_.-]+$/
const validValue = /^[\x20-\x7e]*$/

/**
 * @throws VoloError INVALID_ARGUMENT for a name or value that HTTP/2 cannot carry, and for names that gRPC keeps to itself.
 */
export function metadataText(metadata: Metadata | undefined): string {
  if (metadata === undefined || metadata.size === 0) return ''
  let text = ''
  for (const [name, value] of metadata) {
    if (!validName.test(name)) {
      throw new VoloError('INVALID_ARGUMENT', `metadata name '${name}' is not valid; use a-z, 0-9, '-', '_' and '.'`)
    }
    if (reserved.test(name)) {
      throw new VoloError('INVALID_ARGUMENT', `metadata name '${name}' belongs to gRPC itself; choose another one`)
    }
    if (!validValue.test(value)) {
      throw new VoloError(
        'INVALID_ARGUMENT',
        `metadata '${name}' has a value that is not printable ASCII; end its name in '-bin' and use setBinary`,
      )
    }
    text += text === '' ? `${name}\n${value}` : `\n${name}\n${value}`
  }
  return text
}

/** Two of them as one. */
export function joinedTexts(one: string, other: string): string {
  return one === '' || other === '' ? one + other : `${one}\n${other}`
}

/** What {@link metadataText}, or the core, wrote. */
export function metadataOf(text: string): Metadata {
  const metadata = new Metadata()
  if (text === '') return metadata
  const parts = text.split('\n')
  for (let i = 0; i + 1 < parts.length; i += 2) {
    const [name, value] = [parts[i], parts[i + 1]]
    // One header may carry several binary values; base64 has no comma.
    if (name.endsWith('-bin') && value.includes(','))
      for (const one of value.split(',')) metadata.append(name, one.trim())
    else metadata.append(name, value)
  }
  return metadata
}
