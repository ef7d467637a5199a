import { addon } from '../core/addon.js'
import type { KeptServer } from '../core/keeper.js'
import { reportEvent } from '../core/report.js'
import { Passage, VERSION, type Asked, type Saying } from './passage.js'

/** How long to wait, in milliseconds, until the next process has said that it has everything. */
const PATIENCE = 5000

/** What a server hands over. */
export interface Estate {
  readonly listener: number
  readonly door: number
  readonly asked: Asked
  readonly server: KeptServer
  /** Milliseconds in which connections may come to rest. */
  readonly grace: number
  /** The next process serves: what is left here is to go, its files are the other's. */
  readonly takenOver: () => void
}

/** A process that has come to take over. Until it says that it serves, its end changes nothing here. */
export class Successor {
  readonly #estate: Estate
  readonly #passage: Passage
  readonly #onEnd: () => void
  #serves = false
  #onDone: (() => void) | undefined

  /**
   * @param caller The held connection it called by.
   * @param onEnd It is gone without having taken over.
   */
  constructor(caller: number, estate: Estate, onEnd: () => void) {
    this.#estate = estate
    this.#onEnd = onEnd
    this.#passage = Passage.adopt(caller, {
      heard: (saying) => {
        this.#heard(saying)
      },
      ended: () => {
        this.#onDone?.()
        if (!this.#serves) this.#onEnd()
      },
    })
  }

  /** Resolves when it has everything, or is gone; after five seconds in any case. */
  async finish(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      this.#onDone = resolve
      // It also keeps this process alive until then.
      timer = setTimeout(() => {
        reportEvent(1, 'the process that took over has not said that it has every connection')
        resolve()
      }, PATIENCE)
      this.#passage.say({ kind: 'done' })
    })
    clearTimeout(timer)
    this.#passage.close()
  }

  /** Turns it away. */
  refuse(reason: string): void {
    this.#passage.say({ kind: 'refused', reason })
    this.#passage.close()
  }

  #heard(saying: Saying): void {
    const { listener, door, asked, server } = this.#estate
    if (saying.kind === 'take') {
      if (saying.version !== VERSION) {
        this.refuse(`it speaks version ${VERSION} of the hand-over, not ${saying.version}; end it and start anew`)
        return
      }
      const address = server.address
      this.#passage.say({ kind: 'listener', address, asked }, addon().duplicateSocket(listener))
      this.#passage.say({ kind: 'door' }, addon().duplicateSocket(door))
    } else if (saying.kind === 'ready' && !this.#serves) {
      this.#serves = true
      this.#handOver()
    } else if (saying.kind === 'done') {
      this.#onDone?.()
    }
  }

  #handOver(): void {
    const { server, grace, takenOver } = this.#estate
    takenOver()
    server
      .handOver(grace, (socket, unread) => {
        this.#passage.say({ kind: 'connection' }, socket, unread)
      })
      .catch((error: unknown) => {
        reportEvent(2, `the server on ${server.address} could not be handed over`, error)
      })
  }
}
