import { addon } from '../core/addon.js'
import { VoloError } from '../core/errors.js'
import { reportEvent } from '../core/report.js'
import { Door } from '../restart/door.js'
import { Predecessor } from '../restart/predecessor.js'
import type { Connection } from './messages.js'
import type { Place } from './place.js'
import type { Sockets } from './sockets.js'

/** How often, in milliseconds, those are looked for who wait in sockets that nobody serves on. */
const PASSING = 5

/** How the isolates of one process follow those of another, and are followed by those of the next. */
export class Succession {
  readonly #path: string
  readonly #sockets: Sockets
  #predecessor: Predecessor | undefined
  #door: Door | undefined
  #next = 0

  /**
   * Takes the listening sockets of the process that runs, if there is one; it serves on until {@link succeed}.
   * @throws VoloError UNAVAILABLE if it does not hand over, or the path cannot be listened on.
   */
  static async begin(path: string, sockets: Sockets): Promise<Succession> {
    const succession = new Succession(path, sockets)
    const predecessor = Predecessor.find(path)
    if (predecessor === undefined) {
      succession.#door = new Door(path, undefined)
      return succession
    }
    try {
      const { offers, door } = await predecessor.inherit()
      sockets.inherit(offers)
      succession.#predecessor = predecessor
      succession.#door = new Door(path, door)
      return succession
    } catch (error) {
      predecessor.leave()
      throw error
    }
  }

  private constructor(path: string, sockets: Sockets) {
    this.#path = path
    this.#sockets = sockets
  }

  /** Whether there is a process that runs. */
  get isPreceded(): boolean {
    return this.#predecessor !== undefined
  }

  /**
   * Waits until somebody here serves wherever the process that runs listens.
   * @throws VoloError FAILED_PRECONDITION if that takes longer than `timeout` milliseconds.
   */
  async check(timeout: number): Promise<void> {
    const left = await this.#sockets.allServed(timeout)
    if (left.length === 0) return
    throw new VoloError(
      'FAILED_PRECONDITION',
      `the process that hands over on ${this.#path} listens on ${left.join(' and ')}, which nobody here does; let the servers listen there too, or choose another path for handover`,
    )
  }

  /** The process that runs goes on as if nothing had been. */
  leave(): void {
    this.#predecessor?.leave()
    this.#door?.close()
  }

  /**
   * All isolates serve: the connections of the process before come to them, and the next process may call.
   * @throws VoloError UNAVAILABLE if that one cannot be let in; then the process before has not been told anything.
   * @param handOver Lets all connections go.
   */
  succeed(places: readonly Place[], handOver: (give: (connection: Connection) => void) => Promise<void>): void {
    const adopt = (inherited: string, socket: number, unread: Uint8Array): void => {
      const name = this.#sockets.nameOf(inherited)
      const connection: Connection = { kind: 'connection', name, socket, unread }
      const first = this.#next++ % places.length
      const inTurn = [...places.slice(first), ...places.slice(0, first)]
      if (!inTurn.some((place) => place.adopt(connection))) addon().closeSocket(socket)
    }
    this.#door?.open({
      offers: () => this.#sockets.offers(),
      handOver: (give) => {
        this.#sockets.ownPaths(false)
        return handOver(({ name, socket, unread }) => {
          give(name, socket, unread)
        })
      },
    })
    if (this.#predecessor !== undefined) {
      const taken = this.#predecessor.takeOver(adopt)
      this.#sockets.ownPaths(true)
      this.#passIdleUntil(taken, (name, connection) => {
        adopt(name, connection, new Uint8Array())
      })
    }
  }

  /** From now on the process before this one accepts nothing, and until it has ended nobody closes the sockets that only it needed. */
  #passIdleUntil(taken: Promise<void>, give: (name: string, connection: number) => void): void {
    if (!this.#sockets.hasIdle) return
    const timer = setInterval(() => {
      this.#sockets.passIdle(give)
    }, PASSING)
    taken
      .then(() => {
        this.#sockets.releaseIdle(give)
      })
      .catch((error: unknown) => {
        reportEvent(2, 'sockets of the process before this one could not be let go', error)
      })
      .finally(() => {
        clearInterval(timer)
      })
  }

  /** Waits until the next process has everything. */
  async finish(): Promise<void> {
    await this.#door?.finish()
    this.#door?.close()
  }

  /** Nobody takes over any more. */
  close(): void {
    // A process that has the sockets may serve on them by now.
    if (this.#door?.isOffered === true) this.#sockets.ownPaths(false)
    this.#door?.close()
  }
}
