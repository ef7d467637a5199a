import { addon, type NativeDoor } from '../core/addon.js'
import { VoloError } from '../core/errors.js'
import { reportEvent } from '../core/report.js'
import type { Estate } from './estate.js'
import { Successor } from './successor.js'

/** How long, in milliseconds, a process may take from the offer until it serves before another one that calls takes its place. */
const PATIENCE = 60_000

/** Where the next process calls to take over. */
export class Door {
  readonly #path: string
  /** The held socket of the process before this one, if there was one. */
  readonly #inherited: number | undefined
  readonly #patience: number
  #native: NativeDoor | undefined
  #estate: Estate | undefined
  /** Held connections of who calls before there is anything to take over. */
  readonly #early: number[] = []
  #successor: Successor | undefined
  #isOpen = true
  #isTaken = false

  /**
   * Listens; nobody is let in before {@link open}. An inherited socket is left to the process before this one until then.
   * @param path of the Unix socket.
   * @param inherited The held socket of the process before this one, if there was one.
   * @param patience Milliseconds that a process has from the offer until it serves; then the next one that calls takes its place.
   * @throws VoloError UNAVAILABLE if the path cannot be listened on.
   */
  constructor(path: string, inherited: number | undefined, patience = PATIENCE) {
    this.#path = path
    this.#patience = patience
    this.#inherited = inherited
    if (inherited === undefined) this.#native = this.#listen()
  }

  /**
   * Lets the next process in.
   * @param estate What it takes over.
   * @throws VoloError UNAVAILABLE if an inherited socket cannot be listened on.
   */
  open(estate: Estate): void {
    this.#native ??= this.#listen()
    this.#estate = estate
    for (const caller of this.#early.splice(0)) this.#receive(caller)
  }

  /** Whether a process has the sockets that were offered to it, and may serve on them by now. */
  get isOffered(): boolean {
    return this.#successor?.hasOffer === true
  }

  /** Waits until the process that took over, if one did, has everything. */
  async finish(): Promise<void> {
    if (this.#isTaken) await this.#successor?.finish()
  }

  /** Lets nobody in any more. The file goes too, unless it is another process's by now, or may be. */
  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    for (const caller of this.#early) addon().closeSocket(caller)
    if (this.#native === undefined) {
      if (this.#inherited !== undefined) addon().closeSocket(this.#inherited)
      return
    }
    this.#native.close()
    if (this.isOffered) addon().ownPath(this.#native.socket, false)
    addon().closeSocket(this.#native.socket)
  }

  #listen(): NativeDoor {
    try {
      const native = addon().NativeDoor.open(this.#path, this.#inherited, (caller, reason) => {
        if (caller !== null) this.#receive(caller)
        else reportEvent(2, `no process can take over on ${this.#path} any more: ${reason}`)
      })
      // The file goes with this process from now on.
      addon().ownPath(native.socket, true)
      return native
    } catch (cause) {
      throw new VoloError(
        'UNAVAILABLE',
        `${(cause as Error).message}; give a path in a directory that exists and that this user may write to`,
        { cause },
      )
    }
  }

  #receive(caller: number): void {
    if (!this.#isOpen || this.#native === undefined) {
      addon().closeSocket(caller)
      return
    }
    if (this.#estate === undefined) {
      this.#early.push(caller)
      return
    }
    const { socket } = this.#native
    try {
      const successor = new Successor(caller, socket, this.#estate, {
        takesOver: () => {
          this.#isTaken = true
          // Told to end before it heard of this, it has closed its own already.
          if (!this.#isOpen) return
          this.#native?.close()
          addon().ownPath(socket, false)
        },
        ended: () => {
          if (this.#successor === successor) this.#successor = undefined
        },
      })
      const other = this.#successor
      if (other?.mayTakeOver(this.#patience) === true) {
        successor.refuse('another process is taking over already; wait for it, or end it')
        return
      }
      other?.refuse(`it has not served within ${this.#patience / 1000} s, and another process takes over; end it`)
      this.#successor = successor
    } catch (error) {
      reportEvent(1, `a process that called on ${this.#path} to take over was turned away`, error)
    }
  }
}
