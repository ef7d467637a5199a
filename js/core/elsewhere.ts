import { parseAddress, type ParsedAddress } from './address.js'
import type { ClientConnection } from './client-connection.js'
import { reportEvent } from './report.js'

/** Addresses whose connections are kept; the one that was called longest ago goes first. */
const MOST = 64

/** How long calls on their way to an address that goes may take, in milliseconds. */
const GRACE = 60_000

/** Connections to addresses that single calls name. */
export class Elsewhere {
  readonly #connect: (address: ParsedAddress) => ClientConnection
  /** The last called at the end. */
  readonly #connections = new Map<string, ClientConnection>()

  constructor(connect: (address: ParsedAddress) => ClientConnection) {
    this.#connect = connect
  }

  at(address: string): ClientConnection {
    const connection = this.#connections.get(address) ?? this.#connect(parseAddress(address, '127.0.0.1'))
    this.#connections.delete(address)
    this.#connections.set(address, connection)
    const [oldest] = this.#connections
    if (this.#connections.size > MOST) {
      this.#connections.delete(oldest[0])
      oldest[1].close(GRACE).catch((error: unknown) => reportEvent(1, 'a connection could not be closed', error))
    }
    return connection
  }

  async close(grace: number): Promise<void> {
    const all = [...this.#connections.values()]
    this.#connections.clear()
    await Promise.all(all.map((connection) => connection.close(grace)))
  }
}
