/** Opens connections and holds them, idle after one call each: `idle.js ADDRESS COUNT`. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { framed, ping, pong } from '../wire.js'

const [address, count] = process.argv.slice(2)
const [host, port] = address.split(':')
const answer = framed(pong('idle')).length
const sockets: Socket[] = []

async function open(): Promise<Socket> {
  const socket = connect({ host, port: Number(port) })
  await once(socket, 'connect')
  socket.write(framed(ping('idle')))
  for (let bytes = 0; bytes < answer;) bytes += ((await once(socket, 'data')) as [Buffer])[0].length
  socket.on('close', () => {
    throw new Error('a connection that is held was closed')
  })
  return socket
}

while (sockets.length < Number(count)) {
  // In small groups: the backlog of a listening socket is finite.
  const some = Math.min(100, Number(count) - sockets.length)
  sockets.push(...(await Promise.all(Array.from({ length: some }, open))))
}
process.send!('held')
process.once('message', () => process.exit(0))
