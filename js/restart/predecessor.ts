import { addon } from '../core/addon.js'
import { VoloError } from '../core/errors.js'
import { reportEvent } from '../core/report.js'
import type { Give, Offer } from './estate.js'
import { Passage, VERSION, type Saying } from './passage.js'

/** How long to wait for a word of the process that serves now, in milliseconds. */
const PATIENCE = 10_000

/** What the process before this one hands over first. */
export interface Inheritance {
  /** Its listening sockets, held: one at least. */
  readonly offers: readonly [Offer, ...Offer[]]
  /** The held socket on which the next process will ask. */
  readonly door: number
}

/** The process that served before this one, while it hands over. */
export class Predecessor {
  readonly #path: string
  readonly #passage: Passage
  readonly #inherited: Promise<Inheritance>
  #adopt: Give | undefined
  #resolve!: (inheritance: Inheritance) => void
  #reject!: (error: VoloError) => void
  readonly #offers: Offer[] = []
  #isDone = false
  #isGone = false
  #onDone: (() => void) | undefined

  /**
   * Asks the process that listens on `path`; undefined if there is none.
   * @throws VoloError UNAVAILABLE if there is one that cannot be asked.
   */
  static find(path: string): Predecessor | undefined {
    if (process.platform === 'win32') {
      throw new VoloError(
        'FAILED_PRECONDITION',
        'handover needs Unix sockets that carry descriptors; leave it out here',
      )
    }
    try {
      return new Predecessor(path)
    } catch (cause) {
      const { code, message } = cause as NodeJS.ErrnoException
      if (code === 'ENOENT' || code === 'ECONNREFUSED') return undefined
      throw new VoloError('UNAVAILABLE', `${message}; check who owns the path, or choose another one for handover`, {
        cause,
      })
    }
  }

  private constructor(path: string) {
    this.#path = path
    this.#inherited = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    // Whoever waits for it is told; nobody may.
    this.#inherited.catch(() => undefined)
    this.#passage = Passage.connect(path, {
      heard: (saying, socket, bytes) => {
        this.#heard(saying, socket, bytes)
      },
      ended: (reason) => {
        const why = reason === undefined ? '' : `: ${reason}`
        this.#fail(
          `the process that hands over on ${this.#path} ended before it had handed anything over${why}; try again`,
        )
      },
    })
    this.#passage.say({ kind: 'take', version: VERSION })
  }

  /**
   * The sockets it hands over. It serves on, until {@link takeOver} says that this process does.
   * @throws VoloError UNAVAILABLE if it refuses, ends or does not answer.
   */
  async inherit(): Promise<Inheritance> {
    const timer = setTimeout(() => {
      this.#fail(`the process that hands over on ${this.#path} does not answer; end it, and try again`)
    }, PATIENCE)
    try {
      return await this.#inherited
    } finally {
      clearTimeout(timer)
    }
  }

  /** This process serves now: from here on the other accepts nothing, and its connections come here. Resolves when it has ended. */
  takeOver(adopt: Give): Promise<void> {
    this.#adopt = adopt
    if (this.#isGone) {
      this.#lost()
      return Promise.resolve()
    }
    this.#passage.say({ kind: 'ready' })
    return new Promise((resolve) => (this.#onDone = resolve))
  }

  /** Leaves everything to the other process, which goes on as if it had not been asked. */
  leave(): void {
    this.#isGone = true
    for (const { socket } of this.#offers) addon().closeSocket(socket)
    this.#passage.close()
  }

  #heard(saying: Saying, socket: number | undefined, bytes: Uint8Array): void {
    if (this.#isGone) {
      if (socket !== undefined) addon().closeSocket(socket)
    } else if (saying.kind === 'listener' && socket !== undefined) {
      const { isolate, name, address, asked } = saying
      this.#offers.push({ socket, isolate, name, address, asked })
    } else if (saying.kind === 'door' && socket !== undefined) {
      const [first, ...others] = this.#offers
      if (first !== undefined) this.#resolve({ offers: [first, ...others], door: socket })
    } else if (saying.kind === 'connection' && socket !== undefined && this.#adopt !== undefined) {
      // A copy: what lies around it is the whole message.
      this.#adopt(saying.name, socket, bytes.slice())
    } else if (saying.kind === 'done') {
      this.#isDone = true
      this.#passage.say({ kind: 'done' })
      this.#passage.close()
      this.#onDone?.()
    } else {
      if (socket !== undefined) addon().closeSocket(socket)
      if (saying.kind === 'refused')
        this.#fail(`the process that hands over on ${this.#path} refuses: ${saying.reason}`)
    }
  }

  #fail(text: string): void {
    if (this.#isDone || this.#isGone) return
    this.#isGone = true
    this.#reject(new VoloError('UNAVAILABLE', text))
    if (this.#adopt !== undefined) {
      this.#lost()
      this.#onDone?.()
    }
    this.#passage.close()
  }

  #lost(): void {
    reportEvent(1, `the process before this one ended before it had handed over all connections (${this.#path})`)
  }
}
