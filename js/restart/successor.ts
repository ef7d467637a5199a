import { addon } from '../core/addon.js'
import { reportEvent } from '../core/report.js'
import type { Estate } from './estate.js'
import { Passage, VERSION, type Saying } from './passage.js'

/** How long to wait, in milliseconds, until the next process has said that it has everything. */
const PATIENCE = 5000

/** Is told what becomes of a successor. */
interface Observer {
  /** It serves now. */
  takesOver(): void
  /** It is gone without having taken over. */
  ended(): void
}

/** A process that has come to take over. Until it says that it serves, its end changes nothing here. */
export class Successor {
  readonly #door: number
  readonly #estate: Estate
  readonly #observer: Observer
  readonly #passage: Passage
  readonly #since = performance.now()
  #serves = false
  #hasOffer = false
  #isGone = false
  #onDone: (() => void) | undefined

  /**
   * @param caller The held connection it called by.
   * @param door The held socket on which it called.
   */
  constructor(caller: number, door: number, estate: Estate, observer: Observer) {
    this.#door = door
    this.#estate = estate
    this.#observer = observer
    this.#passage = Passage.adopt(caller, {
      heard: (saying, socket) => {
        // Nothing is taken from it.
        if (socket !== undefined) addon().closeSocket(socket)
        if (this.#isGone) return
        try {
          this.#heard(saying)
        } catch (error) {
          reportEvent(1, 'a process that came to take over was turned away', error)
          this.refuse(`it cannot hand over: ${(error as Error).message}; try again`)
        }
      },
      ended: (reason) => {
        if (reason !== undefined && !this.#isGone && !this.#serves)
          reportEvent(1, `a process that came to take over was turned away: ${reason}`)
        this.#isGone = true
        this.#onDone?.()
        if (!this.#serves) this.#observer.ended()
      },
    })
  }

  /** Whether it has the listening sockets by now, and has not gone: their files may be its own, then. */
  get hasOffer(): boolean {
    return this.#hasOffer && !this.#isGone
  }

  /** Whether it serves, or may come to it: it called less than `patience` milliseconds ago. */
  mayTakeOver(patience: number): boolean {
    return this.#serves || performance.now() - this.#since < patience
  }

  /** Resolves when it has everything, or is gone; after five seconds in any case. */
  async finish(): Promise<void> {
    if (this.#isGone) return
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
    this.#isGone = true
    this.#passage.say({ kind: 'refused', reason })
    this.#passage.close()
  }

  #heard(saying: Saying): void {
    if (saying.kind === 'take') {
      if (saying.version === VERSION) this.#offer()
      else {
        this.refuse(`it speaks version ${VERSION} of the hand-over, not ${saying.version}; end it and start anew`)
      }
    } else if (saying.kind === 'ready' && !this.#serves) {
      this.#serves = true
      this.#observer.takesOver()
      this.#estate
        .handOver((name, socket, unread) => {
          this.#passage.say({ kind: 'connection', name }, socket, unread)
        })
        .catch((error: unknown) => {
          reportEvent(2, 'connections could not be handed over', error)
        })
    } else if (saying.kind === 'done') {
      this.#onDone?.()
    }
  }

  #offer(): void {
    this.#hasOffer = true
    for (const { socket, isolate, name, address, asked } of this.#estate.offers()) {
      this.#passage.say({ kind: 'listener', isolate, name, address, asked }, addon().duplicateSocket(socket))
    }
    this.#passage.say({ kind: 'door' }, addon().duplicateSocket(this.#door))
  }
}
