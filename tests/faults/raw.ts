/** Sockets of node:net as the other side: they send what they are told and show what comes. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { once } from 'node:events'
import type { ExecutionContext } from 'ava'
import { read, type Message } from './wire.js'

/** More was waited for than came. */
class Ended extends Error {}

/** A connection that shows every byte. */
export class Raw {
  readonly socket: Socket
  /** `end` if the other side closed in order, otherwise the error's code; undefined while it is open. */
  ended: string | undefined
  #buffer: Buffer = Buffer.alloc(0)
  #changed!: () => void
  #change!: Promise<void>

  constructor(socket: Socket) {
    this.socket = socket
    this.#renew()
    socket.setNoDelay(true)
    socket.on('data', (data: Buffer) => {
      this.#buffer = this.#buffer.length === 0 ? data : Buffer.concat([this.#buffer, data])
      this.#changed()
    })
    const end = (how: string): void => {
      this.ended ??= how
      this.#changed()
    }
    socket.on('end', () => end('end'))
    socket.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message))
    socket.on('close', () => end('close'))
  }

  /** Connects to `127.0.0.1:8080`, `[::1]:8080` or `unix:/path`. */
  static async to(t: ExecutionContext, address: string): Promise<Raw> {
    const socket = connect(optionsOf(address))
    t.teardown(() => socket.destroy())
    await once(socket, 'connect')
    return new Raw(socket)
  }

  send(...bytes: Uint8Array[]): void {
    this.socket.write(Buffer.concat(bytes))
  }

  /** Sends a byte a turn of the event loop. */
  async trickle(bytes: Uint8Array): Promise<void> {
    for (const byte of bytes) {
      this.socket.write(Buffer.from([byte]))
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  /** Sends no more; still receives. */
  half(): void {
    this.socket.end()
  }

  /** Closes with RST. */
  reset(): void {
    this.socket.resetAndDestroy()
  }

  /** The next `length` bytes. */
  async bytes(length: number): Promise<Buffer> {
    while (this.#buffer.length < length) {
      if (this.ended !== undefined) {
        throw new Ended(`the connection ended (${this.ended}) with ${this.#buffer.length} of ${length} bytes`)
      }
      await this.#change
      this.#renew()
    }
    const bytes = this.#buffer.subarray(0, length)
    this.#buffer = this.#buffer.subarray(length)
    return bytes
  }

  /** The next framed message. */
  async message(): Promise<Message> {
    const length = (await this.bytes(4)).readInt32BE()
    return read(await this.bytes(length))
  }

  /** Waits until the other side has closed; how it did. */
  async end(): Promise<string> {
    while (this.ended === undefined) {
      await this.#change
      this.#renew()
    }
    return this.ended
  }

  #renew(): void {
    this.#change = new Promise((resolve) => (this.#changed = resolve))
  }
}

function optionsOf(address: string): { readonly path: string } | { readonly host: string; readonly port: number } {
  if (address.startsWith('unix:')) return { path: address.slice(5) }
  const [, host, port] = /^\[?(.*?)\]?:(\d+)$/.exec(address)!
  return { host, port: Number(port) }
}

/** A server of node:net; `nth` counts its connections from 0. Gives its address. */
export async function peer(t: ExecutionContext, serve: (raw: Raw, nth: number) => unknown): Promise<string> {
  let count = 0
  const sockets = new Set<Socket>()
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    // A script that waits for more than comes ends with its connection; what it did wrong beside that, its client shows.
    void Promise.resolve(serve(new Raw(socket), count++)).catch((error: unknown) => {
      if (!(error instanceof Ended)) t.log(error)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}
