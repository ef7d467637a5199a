/** Memory of connections on which a call was made and nothing happens any more. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

import { Failure } from '../../scripts/lib/process.mjs'
import { residentMemory } from './proc.mjs'

/** Connections before the first look, so that what grows once is not counted, and before the second. */
const FEW = 500
const MANY = 4500

/**
 * A framed strict TBinary call of GetItem, filled up to a size with a field the server does not know and has to skip.
 * @param {number} size of the whole frame
 */
export function callFrame(size) {
  const name = Buffer.from('GetItem')
  const head = Buffer.alloc(4 + 4 + name.length + 4)
  head.writeUInt32BE(0x8001_0001, 0)
  head.writeUInt32BE(name.length, 4)
  name.copy(head, 8)
  head.writeUInt32BE(1, 8 + name.length)
  // Field 1 of the arguments is a struct, whose field 1 is an i64; then a string field 9; both structs end with a 0.
  const id = Buffer.from([0x0c, 0, 1, 0x0a, 0, 1, 0, 0, 0, 0, 0, 0, 0, 42])
  const filler = Buffer.alloc(Math.max(0, size - 4 - head.length - id.length - 7 - 2), 'x')
  const field = Buffer.from([0x0b, 0, 9, 0, 0, 0, 0])
  field.writeUInt32BE(filler.length, 3)
  const message = Buffer.concat([head, id, field, filler, Buffer.from([0, 0])])
  const frame = Buffer.alloc(4)
  frame.writeUInt32BE(message.length)
  return Buffer.concat([frame, message])
}

/**
 * Opens a connection and makes one call on it.
 * @param {import('../../scripts/lib/process.mjs').ServerProcess} server
 * @param {Buffer} frame
 */
async function callOnce(server, frame) {
  const socket = connect({ host: server.host, port: server.port })
  await once(socket, 'connect')
  socket.write(frame)
  let received = Buffer.alloc(0)
  for (;;) {
    const [chunk] = /** @type {[Buffer]} */ (await once(socket, 'data'))
    received = Buffer.concat([received, chunk])
    if (received.length >= 4 && received.length >= 4 + received.readUInt32BE(0)) break
  }
  socket.pause()
  return socket
}

const THRIFT_CALL = callFrame(1024)

/** @typedef {(server: import('../../scripts/lib/process.mjs').ServerProcess) => Promise<import('node:net').Socket>} Connect */

/** A connection on which a call of Thrift with 1 KiB was made. @type {Connect} */
const thrift = (server) => callOnce(server, THRIFT_CALL)

/**
 * Bytes of resident memory a connection costs the server once it is idle.
 * @param {import('../../scripts/lib/process.mjs').ServerProcess} server
 * @param {Connect} [connectOne] opens a connection and makes a call on it
 * @returns {Promise<number>}
 */
export async function idleConnectionMemory(server, connectOne = thrift) {
  /** @type {import('node:net').Socket[]} */
  const sockets = []
  let before = 0
  try {
    for (const wanted of [FEW, MANY]) {
      while (sockets.length < wanted) {
        // In small groups: the backlog of a listening socket is finite.
        const some = Array.from({ length: Math.min(50, wanted - sockets.length) }, () => connectOne(server))
        sockets.push(...(await Promise.all(some)))
      }
      await sleep(500)
      if (wanted === FEW) before = residentMemory(server.pid)
    }
    return (residentMemory(server.pid) - before) / (MANY - FEW)
  } catch (cause) {
    throw new Failure(`${sockets.length} connections are open, and the next call failed: ${String(cause)}`, { cause })
  } finally {
    for (const socket of sockets) socket.destroy()
  }
}
