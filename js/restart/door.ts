import { addon, type NativeDoor } from '../core/addon.js'
import { reportEvent } from '../core/report.js'
import type { Estate } from './estate.js'
import { Successor } from './successor.js'

/** Where the next process calls to take over. */
export class Door {
  readonly #path: string
  readonly #estate: Estate
  readonly #native: NativeDoor
  #successor: Successor | undefined
  #isOpen = true
  #isTaken = false

  /**
   * @param path of the Unix socket.
   * @param inherited The held socket of the process before this one, if there was one.
   * @throws Error if the path cannot be listened on.
   */
  constructor(path: string, inherited: number | undefined, estate: Estate) {
    this.#path = path
    this.#estate = estate
    this.#native = addon().NativeDoor.open(path, inherited, (caller) => {
      this.#receive(caller)
    })
    // The file goes with this process from now on.
    addon().ownPath(this.#native.socket, true)
  }

  /** Waits until the process that took over, if one did, has everything. */
  async finish(): Promise<void> {
    if (this.#isTaken) await this.#successor?.finish()
  }

  /** Lets nobody in any more. The file goes too, unless it is another process's by now. */
  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#native.close()
    addon().closeSocket(this.#native.socket)
  }

  #receive(caller: number): void {
    if (!this.#isOpen) {
      addon().closeSocket(caller)
      return
    }
    try {
      const successor = new Successor(caller, this.#native.socket, this.#estate, {
        takesOver: () => {
          this.#isTaken = true
          this.#native.close()
          addon().ownPath(this.#native.socket, false)
        },
        ended: () => {
          if (this.#successor === successor) this.#successor = undefined
        },
      })
      if (this.#successor === undefined) this.#successor = successor
      else successor.refuse('another process is taking over already; wait for it')
    } catch (error) {
      reportEvent(1, `a process that called on ${this.#path} to take over was turned away`, error)
    }
  }
}
