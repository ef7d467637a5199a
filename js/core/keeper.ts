import type { NativeListenOptions } from './addon.js'
import type { CloseOptions } from './server-handle.js'
import type { ServerStats } from './stats.js'

/** A server as the keeper of its socket sees it. */
export interface KeptServer {
  /** The address it is bound to. */
  readonly address: string
  /** Resolves when it has closed. */
  readonly closed: Promise<void>
  stats(): ServerStats
  close(options?: CloseOptions): Promise<void>
  /**
   * Closes, but lets every connection go that comes to rest within `grace` milliseconds: `give` gets the number of its held socket, and
   * what was read of a message that is not complete. Nothing happens to a server that closes already.
   */
  handOver(grace: number, give: (socket: number, unread: Uint8Array) => void): Promise<void>
  /**
   * Goes on with a connection that another server let go. False if this one closes itself.
   * @throws Error if there is no such connection.
   */
  adopt(socket: number, unread: Uint8Array): boolean
}

/** What a server tells the keeper of its socket. */
export interface Custody {
  /** It closes, of itself: nobody will serve on the socket any more. */
  closing(): void
  /** It has closed; `KeptServer.closed` waits for what this returns. */
  closed(): Promise<void> | void
}

/**
 * Somebody who owns the sockets that servers of this isolate listen on, and outlives them: a server that ends leaves its socket, with
 * the connections that wait in it, to the next one.
 */
export interface Keeper {
  /**
   * Gives the number of a held socket that listens.
   * @throws Error if the address cannot be bound.
   */
  bind(options: NativeListenOptions): Promise<number>
  /** No server could be made on the socket. */
  abandon?(): void
  /** A server has begun to serve on a socket. */
  serving(socket: number, server: KeptServer): Custody
}

const key = Symbol.for('volo-js.keeper')

/** The keeper of all sockets of this isolate, if it has one. */
export function keeper(): Keeper | undefined {
  return (globalThis as { [key]?: Keeper })[key]
}

/** Makes somebody the keeper of all sockets of this isolate. Whatever copy of this package a server comes from, it finds it. */
export function setKeeper(keeper: Keeper): void {
  ;(globalThis as { [key]?: Keeper })[key] = keeper
}
