import { addon, type NativeListenOptions } from '../core/addon.js'
import { reportEvent } from '../core/report.js'
import { askedOf, portOf, type Asked } from '../restart/asked.js'
import type { Offer } from '../restart/estate.js'

interface Socket {
  /** Its number among the held ones. */
  readonly socket: number
  /** The bound address. */
  readonly address: string
  /** The address it was bound for. */
  readonly asked: Asked
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
  /** Sockets of another process that no server has asked for yet. */
  readonly #idle = new Map<number, Offer>()
  readonly #renamed = new Map<string, string>()
  /** Addresses of another process that no server here serves on yet, by name. */
  readonly #unserved = new Map<string, string>()
  #onServed: (() => void) | undefined
  #isClosed = false

  /** The addresses they listen on. */
  get addresses(): readonly string[] {
    return [...this.#addresses.values()]
  }

  /**
   * The socket of an isolate, bound at the first use.
   * @throws Error with a `code` such as EADDRINUSE; ECANCELED once they are closed.
   */
  bind(isolate: number, name: string, options: NativeListenOptions): number {
    if (this.#isClosed) throw Object.assign(new Error('the isolates are closing'), { code: 'ECANCELED' })
    const isShared = isOneForAll(options)
    this.#recognise(name, options)
    const sockets = isShared ? this.#shared : this.#of(isolate)
    let socket = sockets.get(name)
    if (socket === undefined) {
      const port = this.#ports.get(name)
      // Sharing among themselves must not become sharing with whoever else has the port, unless that is asked for.
      if (!isShared && port === undefined && options.reusePort !== true) checkFree(options)
      const bound = {
        ...options,
        reusePort: !isShared || options.reusePort === true,
        ...(port === undefined ? {} : { port }),
      }
      socket = { ...addon().bindSocket(bound), asked: askedOf(options) }
      sockets.set(name, socket)
      this.#addresses.set(name, socket.address)
      if (options.path === undefined) this.#ports.set(name, portOf(socket.address))
    }
    this.#idle.delete(socket.socket)
    return socket.socket
  }

  /**
   * Closes an isolate's own sockets, so that the kernel gives new connections to the others.
   * @param kept Names of those that are not closed.
   * @param give Takes those that wait already, who would be turned away otherwise.
   */
  release(isolate: number, kept: ReadonlySet<string>, give: (name: string, connection: number) => void): void {
    const own = this.#of(isolate)
    for (const [name, { socket }] of own) {
      if (kept.has(name)) continue
      giveWaiting(socket, name, give)
      addon().closeSocket(socket)
      own.delete(name)
    }
  }

  /** Closes one of an isolate's own sockets. */
  unbind(isolate: number, name: string): void {
    const own = this.#of(isolate)
    const socket = own.get(name)
    if (socket === undefined) return
    own.delete(name)
    addon().closeSocket(socket.socket)
  }

  /** Takes the sockets of another process over: each waits for the isolate of its number to ask for its address. */
  inherit(offers: readonly Offer[]): void {
    for (const offer of offers) {
      const { socket, isolate, name, address, asked } = offer
      this.#idle.set(socket, offer)
      this.#addresses.set(name, address)
      this.#unserved.set(name, address)
      if (asked.path === undefined) this.#ports.set(name, portOf(address))
      const sockets = isOneForAll(asked) ? this.#shared : this.#of(isolate)
      sockets.set(name, { socket, address, asked })
    }
  }

  /** What servers here call an address that another process has handed over. */
  nameOf(inherited: string): string {
    return this.#renamed.get(inherited) ?? inherited
  }

  /** The other process may have asked for port 0, or this one does: then its socket has another name than is asked for here. */
  #recognise(name: string, { host, port, path }: NativeListenOptions): void {
    if (path !== undefined || this.#ports.has(name)) return
    const recognised = new Set(this.#renamed.values())
    const known = [...this.#idle.values()].find(
      ({ name, asked, address }) =>
        !recognised.has(name) &&
        asked.path === undefined &&
        asked.host === host &&
        (port === 0 || port === portOf(address)),
    )
    if (known === undefined) return
    this.#renamed.set(known.name, name)
    rename(this.#ports, known.name, name)
    rename(this.#addresses, known.name, name)
    rename(this.#unserved, known.name, name)
    for (const sockets of [this.#shared, ...this.#own.values()]) rename(sockets, known.name, name)
    for (const [socket, offer] of this.#idle) {
      if (offer.name === known.name) this.#idle.set(socket, { ...offer, name })
    }
  }

  /** A server serves on an address. */
  serves(name: string): void {
    if (this.#unserved.delete(name) && this.#unserved.size === 0) this.#onServed?.()
  }

  /** Waits until servers here serve on every address of another process; gives those where none does after `timeout` milliseconds. */
  async allServed(timeout: number): Promise<readonly string[]> {
    if (this.#unserved.size > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeout)
        this.#onServed = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    return [...new Set(this.#unserved.values())]
  }

  /** Whether there are sockets of another process that no isolate here needs: there it had more isolates. */
  get hasIdle(): boolean {
    return this.#idle.size > 0
  }

  /** Gives away who waits in them: the kernel goes on spreading connections over them while either process has them open. */
  passIdle(give: (name: string, connection: number) => void): void {
    for (const { name, socket } of this.#idle.values()) giveWaiting(socket, name, give)
  }

  /**
   * Closes them.
   * @param give Takes those that wait in them.
   */
  releaseIdle(give: (name: string, connection: number) => void): void {
    for (const { isolate, name, socket } of this.#idle.values()) {
      giveWaiting(socket, name, give)
      this.unbind(isolate, name)
    }
    this.#idle.clear()
  }

  /** All of them, for the next process. */
  offers(): readonly Offer[] {
    const offersOf = (isolate: number, sockets: ReadonlyMap<string, Socket>): Offer[] =>
      Array.from(sockets, ([name, socket]) => ({ isolate, name, ...socket }))
    const own = Array.from(this.#own, ([isolate, sockets]) => offersOf(isolate, sockets))
    return [...own.flat(), ...offersOf(0, this.#shared)]
  }

  /** Whether the files of Unix sockets go when they are closed. */
  ownPaths(owned: boolean): void {
    for (const { socket } of this.#shared.values()) addon().ownPath(socket, owned)
  }

  /** Closes all; none is bound any more. */
  close(): void {
    this.#isClosed = true
    for (const sockets of [...this.#own.values(), this.#shared]) {
      for (const { socket } of sockets.values()) addon().closeSocket(socket)
      sockets.clear()
    }
    this.#own.clear()
    this.#idle.clear()
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

/** Does everybody accept from one socket there? */
function isOneForAll({ path }: Asked): boolean {
  return path !== undefined || process.platform !== 'linux'
}

function rename<T>(names: Map<string, T>, from: string, to: string): void {
  const value = names.get(from)
  if (value === undefined) return
  names.delete(from)
  names.set(to, value)
}

/** Takes who waits to be accepted. Where that fails they are lost, and nothing else is. */
function giveWaiting(socket: number, name: string, give: (name: string, connection: number) => void): void {
  let waiting: readonly number[] = []
  try {
    waiting = addon().acceptWaiting(socket)
  } catch (error) {
    reportEvent(1, `who waits on ${name} could not be passed on`, error)
  }
  for (const connection of waiting) give(name, connection)
}

/** @throws Error with code EADDRINUSE if somebody listens there, whether or not the port can be shared. */
function checkFree(options: NativeListenOptions): void {
  if (options.port === 0) return
  const { socket } = addon().bindSocket({ ...options, reusePort: false })
  addon().closeSocket(socket)
}
