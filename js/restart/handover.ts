import { addon, type NativeListenOptions } from '../core/addon.js'
import { VoloError } from '../core/errors.js'
import type { Custody, Keeper, KeptServer } from '../core/keeper.js'
import { reportEvent } from '../core/report.js'
import { askedOf, nameOf, portOf, type Asked } from './asked.js'
import { Door } from './door.js'
import { Predecessor } from './predecessor.js'

/**
 * Keeps the socket of one server across processes: it is taken from the process that serves now, if there is one, and offered to the next.
 */
export class Handover implements Keeper {
  readonly #path: string
  readonly #grace: number
  #asked: Asked = {}
  #name = ''
  #listener: number | undefined
  #predecessor: Predecessor | undefined
  #door: Door | undefined

  /**
   * @param path of the Unix socket where processes meet.
   * @param grace Milliseconds in which connections may come to rest when they are handed over.
   */
  constructor(path: string, grace: number) {
    this.#path = path
    this.#grace = grace
  }

  /**
   * The listening socket: the running process's, or a new one.
   * @throws VoloError FAILED_PRECONDITION if the running process listens elsewhere, UNAVAILABLE if it does not hand over, or the path
   *   cannot be listened on.
   */
  async bind(options: NativeListenOptions): Promise<number> {
    this.#asked = askedOf(options)
    this.#name = nameOf(options)
    const predecessor = Predecessor.find(this.#path)
    if (predecessor === undefined) {
      this.#door = new Door(this.#path, undefined)
      this.#listener = addon().bindSocket(options).socket
      return this.#listener
    }
    try {
      const { offers, door } = await predecessor.inherit()
      this.#door = new Door(this.#path, door)
      const [first, ...others] = offers
      for (const { socket } of others) addon().closeSocket(socket)
      this.#listener = first.socket
      if (others.length > 0 || !isSame(this.#asked, first.asked, first.address)) {
        const addresses = [...new Set(offers.map(({ address }) => address))].join(' and ')
        throw new VoloError(
          'FAILED_PRECONDITION',
          `the process that hands over on ${this.#path} listens on ${addresses}, which is not the address asked for; ask for the same, or give this server another path for handover`,
        )
      }
      this.#predecessor = predecessor
      return first.socket
    } catch (error) {
      predecessor.leave()
      this.#close()
      throw error
    }
  }

  serving(listener: number, server: KeptServer): Custody {
    const name = this.#name
    // First of all: if it cannot be opened, the process before this one serves on.
    this.#door?.open({
      offers: () => [{ socket: listener, isolate: 0, name, address: server.address, asked: this.#asked }],
      handOver: (give) => {
        if (this.#listener !== undefined) addon().ownPath(listener, false)
        return server.handOver(this.#grace, (socket, unread) => {
          give(name, socket, unread)
        })
      },
    })
    if (this.#predecessor !== undefined) {
      void this.#predecessor.takeOver((_name, socket, unread) => {
        adoptOrClose(server, socket, unread)
      })
      // The file of a Unix socket goes with this process from now on.
      addon().ownPath(listener, true)
    }
    return {
      closing: () => {
        this.#close()
      },
      closed: async () => {
        await this.#door?.finish()
        this.#close()
      },
    }
  }

  abandon(): void {
    this.#predecessor?.leave()
    this.#close()
  }

  #close(): void {
    if (this.#listener !== undefined) {
      if (this.#door?.isOffered === true) addon().ownPath(this.#listener, false)
      addon().closeSocket(this.#listener)
      this.#listener = undefined
    }
    this.#door?.close()
  }
}

function adoptOrClose(server: KeptServer, socket: number, unread: Uint8Array): void {
  try {
    if (!server.adopt(socket, unread)) addon().closeSocket(socket)
  } catch (error) {
    reportEvent(2, `a connection was lost on its way to the server on ${server.address}`, error)
  }
}

/** Port 0 takes whatever port there is. */
function isSame(asked: Asked, running: Asked, address: string): boolean {
  if (asked.path !== undefined || running.path !== undefined) return asked.path === running.path
  if (asked.host !== running.host) return false
  return asked.port === 0 || asked.port === running.port || asked.port === portOf(address)
}
