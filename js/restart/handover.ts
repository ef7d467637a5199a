import { addon, type NativeDoor, type NativeListenOptions } from '../core/addon.js'
import { VoloError } from '../core/errors.js'
import type { Custody, Keeper, KeptServer } from '../core/keeper.js'
import { reportEvent } from '../core/report.js'
import type { Asked } from './passage.js'
import { Predecessor } from './predecessor.js'
import { Successor } from './successor.js'

/**
 * Keeps the socket of one server across processes: it is taken from the process that serves now, if there is one, and offered to the next.
 */
export class Handover implements Keeper {
  readonly #path: string
  readonly #grace: number
  #asked: Asked = {}
  #listener: number | undefined
  #doorSocket: number | undefined
  #door: NativeDoor | undefined
  #predecessor: Predecessor | undefined
  #successor: Successor | undefined
  #isTaken = false

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
   * @throws VoloError FAILED_PRECONDITION if the running process listens elsewhere, UNAVAILABLE if it does not hand over.
   */
  async bind(options: NativeListenOptions): Promise<number> {
    if (process.platform === 'win32') {
      throw new VoloError(
        'FAILED_PRECONDITION',
        'handover needs Unix sockets that carry descriptors; leave it out here',
      )
    }
    const { host, port, path } = options
    this.#asked = {
      ...(host === undefined ? {} : { host }),
      ...(port === undefined ? {} : { port }),
      ...(path === undefined ? {} : { path }),
    }
    const predecessor = Predecessor.find(this.#path)
    if (predecessor === undefined) {
      this.#listener = addon().bindSocket(options).socket
      return this.#listener
    }
    try {
      const { listener, door, address, asked } = await predecessor.inherit()
      this.#listener = listener
      this.#doorSocket = door
      if (!isSame(this.#asked, asked, address)) {
        throw new VoloError(
          'FAILED_PRECONDITION',
          `the process that hands over on ${this.#path} listens on ${address}, which is not the address asked for; ask for the same, or give this server another path for handover`,
        )
      }
      this.#predecessor = predecessor
      return listener
    } catch (error) {
      predecessor.leave()
      this.#close()
      throw error
    }
  }

  serving(listener: number, server: KeptServer): Custody {
    const predecessor = this.#predecessor
    if (predecessor !== undefined) {
      predecessor.takeOver((socket, unread) => {
        this.#adopt(server, socket, unread)
      })
      // The files of both sockets go with this process from now on.
      addon().ownPath(listener, true)
      if (this.#doorSocket !== undefined) addon().ownPath(this.#doorSocket, true)
    }
    this.#door = addon().NativeDoor.open(this.#path, this.#doorSocket, (caller) => {
      this.#receive(caller, listener, server)
    })
    this.#doorSocket = this.#door.socket
    return {
      closing: () => {
        this.#close()
      },
      closed: async () => {
        await this.#successor?.finish()
        this.#close()
      },
    }
  }

  /** The server could not be made: the running process goes on. */
  abandon(): void {
    this.#predecessor?.leave()
    this.#close()
  }

  #adopt(server: KeptServer, socket: number, unread: Uint8Array): void {
    try {
      if (!server.adopt(socket, unread)) addon().closeSocket(socket)
    } catch (error) {
      reportEvent(2, `a connection was lost on its way to the server on ${server.address}`, error)
    }
  }

  #receive(caller: number, listener: number, server: KeptServer): void {
    const door = this.#doorSocket
    if (door === undefined) {
      addon().closeSocket(caller)
      return
    }
    try {
      const estate = {
        listener,
        door,
        asked: this.#asked,
        server,
        grace: this.#grace,
        takenOver: () => {
          this.#isTaken = true
          this.#door?.close()
          addon().ownPath(listener, false)
          addon().ownPath(door, false)
        },
      }
      const successor = new Successor(caller, estate, () => {
        if (this.#successor === successor) this.#successor = undefined
      })
      if (this.#successor === undefined) this.#successor = successor
      else successor.refuse('another process is taking over already; wait for it')
    } catch (error) {
      reportEvent(1, `a process that called on ${this.#path} to take over was turned away`, error)
    }
  }

  #close(): void {
    if (!this.#isTaken) this.#door?.close()
    for (const socket of [this.#listener, this.#doorSocket]) {
      if (socket !== undefined) addon().closeSocket(socket)
    }
    this.#listener = undefined
    this.#doorSocket = undefined
  }
}

/** Port 0 takes whatever port there is. */
function isSame(asked: Asked, running: Asked, address: string): boolean {
  if (asked.path !== undefined || running.path !== undefined) return asked.path === running.path
  if (asked.host !== running.host) return false
  return asked.port === 0 || asked.port === running.port || asked.port === Number(/\d+$/.exec(address)?.[0])
}
