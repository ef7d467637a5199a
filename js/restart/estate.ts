import type { Asked } from './asked.js'

/** A listening socket that changes hands. */
export interface Offer {
  /** Its number among the held sockets. */
  readonly socket: number
  /** Which isolate it belongs to, from 0. */
  readonly isolate: number
  /** Names the address: what connections of it are told apart by. */
  readonly name: string
  /** The bound address. */
  readonly address: string
  readonly asked: Asked
}

/** Takes a connection: its number among the held sockets, and what was read of a message that is not complete. */
export type Give = (name: string, socket: number, unread: Uint8Array) => void

/** What a process hands over. */
export interface Estate {
  /** The listening sockets, which stay held. */
  offers(): readonly Offer[]
  /** The next process serves: hand every connection over, as it comes to rest. Resolves when all are gone. */
  handOver(give: Give): Promise<void>
}
