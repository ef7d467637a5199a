import { addon, type NativeListenOptions } from '../core/addon.js'

interface Socket {
  /** Its number among the held ones. */
  readonly socket: number
  /** The bound address. */
  readonly address: string
}

/**
 * The listening sockets of all isolates. They belong to the supervisor: an isolate that ends leaves its socket, and who waits in its queue,
 * to its successor. Each isolate has a socket of its own on each port, for the kernel to spread connections over them; where it does
 * not, on Unix sockets and on other systems than Linux, they share one.
 */
export class Sockets {
  /** By name. The first one that is bound settles the port of all. */
  readonly #ports = new Map<string, number>()
  readonly #addresses = new Map<string, string>()
  /** By isolate and name. */
  readonly #own = new Map<number, Map<string, Socket>>()
  readonly #shared = new Map<string, Socket>()

  /** The addresses they listen on. */
  get addresses(): readonly string[] {
    return [...this.#addresses.values()]
  }

  /**
   * The socket of an isolate, bound at the first use.
   * @throws Error with a `code` such as EADDRINUSE.
   */
  bind(isolate: number, name: string, options: NativeListenOptions): number {
    const isShared = options.path !== undefined || process.platform !== 'linux'
    const sockets = isShared ? this.#shared : this.#of(isolate)
    let socket = sockets.get(name)
    if (socket === undefined) {
      const port = this.#ports.get(name)
      // Sharing among themselves must not become sharing with whoever else has the port, unless that is asked for.
      if (!isShared && port === undefined && options.reusePort !== true) checkFree(options)
      const bound = { ...options, reusePort: !isShared, ...(port === undefined ? {} : { port }) }
      socket = addon().bindSocket(bound)
      sockets.set(name, socket)
      this.#addresses.set(name, socket.address)
      if (options.path === undefined) this.#ports.set(name, Number(/\d+$/.exec(socket.address)?.[0]))
    }
    return socket.socket
  }

  /**
   * Closes an isolate's own sockets, so that the kernel gives new connections to the others.
   * @param give Takes those that wait already, who would be turned away otherwise.
   */
  release(isolate: number, give?: (name: string, connection: number) => void): void {
    for (const [name, { socket }] of this.#of(isolate)) {
      if (give !== undefined) for (const connection of addon().acceptWaiting(socket)) give(name, connection)
      addon().closeSocket(socket)
    }
    this.#own.delete(isolate)
  }

  /** Closes one of an isolate's own sockets. */
  unbind(isolate: number, name: string): void {
    const own = this.#of(isolate)
    const socket = own.get(name)
    if (socket === undefined) return
    own.delete(name)
    addon().closeSocket(socket.socket)
  }

  /** Closes all. */
  close(): void {
    for (const isolate of this.#own.keys()) this.release(isolate)
    for (const { socket } of this.#shared.values()) addon().closeSocket(socket)
    this.#shared.clear()
  }

  #of(isolate: number): Map<string, Socket> {
    let sockets = this.#own.get(isolate)
    if (sockets === undefined) {
      sockets = new Map<string, Socket>()
      this.#own.set(isolate, sockets)
    }
    return sockets
  }
}

/** @throws Error with code EADDRINUSE if somebody listens there, whether or not the port can be shared. */
function checkFree(options: NativeListenOptions): void {
  if (options.port === 0) return
  const { socket } = addon().bindSocket({ ...options, reusePort: false })
  addon().closeSocket(socket)
}
