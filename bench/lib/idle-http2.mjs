/** Connections of HTTP/2 on which one call of gRPC was made, for the memory of idle ones. */
import { once } from 'node:events'
import { connect } from 'node:net'

import { Failure } from '../../scripts/lib/process.mjs'

const FRAME = { data: 0, headers: 1, reset: 3, settings: 4, goaway: 7 }
const END_STREAM = 1
const END_HEADERS = 4
const ACK = 1

/**
 * @param {number} type
 * @param {number} flags
 * @param {number} stream
 * @param {Buffer} payload
 */
function frame(type, flags, stream, payload) {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/**
 * Headers as literals without indexing (RFC 7541, 6.2.2), which need no table; all strings are shorter than 127.
 * @param {Record<string, string>} headers
 */
function headerBlock(headers) {
  const string = (/** @type {string} */ text) => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)])
  return Buffer.concat(
    Object.entries(headers).flatMap(([name, value]) => [Buffer.from([0]), string(name), string(value)]),
  )
}

/** A call of GetItem with 1 KiB in a field that the server does not know. */
function call() {
  const filler = Buffer.alloc(1000, 'x')
  // Field 1 is the id, 42; field 15 has a length of two bytes.
  const message = Buffer.concat([
    Buffer.from([0x08, 42, 0x7a, (filler.length & 0x7f) | 0x80, filler.length >> 7]),
    filler,
  ])
  const prefix = Buffer.alloc(5)
  prefix.writeUInt32BE(message.length, 1)
  const headers = headerBlock({
    ':method': 'POST',
    ':scheme': 'http',
    ':path': '/volo.example.ItemService/GetItem',
    ':authority': '127.0.0.1',
    'content-type': 'application/grpc',
    te: 'trailers',
  })
  return Buffer.concat([
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    frame(FRAME.settings, 0, 0, Buffer.alloc(0)),
    frame(FRAME.headers, END_HEADERS, 1, headers),
    frame(FRAME.data, END_STREAM, 1, Buffer.concat([prefix, message])),
  ])
}

const CALL = call()
const SETTINGS_ACK = frame(FRAME.settings, ACK, 0, Buffer.alloc(0))

/**
 * Opens a connection and makes one call on it.
 * @param {import('../../scripts/lib/process.mjs').ServerProcess} server
 */
export async function callOverHttp2(server) {
  const socket = connect({ host: server.host, port: server.port })
  await once(socket, 'connect')
  socket.write(CALL)
  let received = Buffer.alloc(0)
  let answered = false
  while (!answered) {
    const [chunk] = /** @type {[Buffer]} */ (await once(socket, 'data'))
    received = Buffer.concat([received, chunk])
    while (received.length >= 9 && received.length >= 9 + received.readUIntBE(0, 3)) {
      const [type, flags] = [received[3], received[4]]
      if (type === FRAME.settings && (flags & ACK) === 0) socket.write(SETTINGS_ACK)
      if (type === FRAME.goaway || type === FRAME.reset) throw new Failure('The server refused a call over HTTP/2.')
      if ((type === FRAME.headers || type === FRAME.data) && (flags & END_STREAM) !== 0) answered = true
      received = received.subarray(9 + received.readUIntBE(0, 3))
    }
  }
  socket.pause()
  return socket
}
