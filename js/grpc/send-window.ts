import { Flags } from './message-body.js'

/** After so many messages, or bytes, the next one is marked. */
const MESSAGES = 32
const BYTES = 32 * 1024

/** Marks that may be unanswered before sending stops. */
const MARKS = 2

/**
 * How much of a stream may be on its way: a sender marks a message now and then, and stops while two marks are not answered. So no side
 * waits for each message, and a slow consumer stops the producer.
 */
export class SendWindow {
  #messages = 0
  #bytes = 0
  /** Messages sent in all, and those of them that the other side has told to be used up. */
  #sent = 0
  #used = 0
  /** Value of `#sent` at each unanswered mark. */
  readonly #marks: number[] = []
  #wake: (() => void) | undefined
  #over = false

  /** May another message be sent now? */
  get isOpen(): boolean {
    return this.#marks.length < MARKS || this.#over
  }

  /** Counts a message of this size; the flags it is sent with. */
  count(bytes: number): number {
    this.#sent += 1
    this.#messages += 1
    this.#bytes += bytes
    if (this.#messages < MESSAGES && this.#bytes < BYTES) return 0
    this.#messages = 0
    this.#bytes = 0
    this.#marks.push(this.#sent)
    return Flags.WANTS_CREDIT
  }

  /** Resolves when {@link isOpen}. One waits at a time. */
  opened(): Promise<void> {
    return this.isOpen ? Promise.resolve() : new Promise((resolve) => (this.#wake = resolve))
  }

  /** A CREDIT has come. */
  credit(count: number): void {
    this.#used += count
    while (this.#marks.length > 0 && this.#marks[0] <= this.#used) this.#marks.shift()
    if (this.isOpen) this.#wakeUp()
  }

  /** The call is over: whoever waits goes on, and finds that out. */
  end(): void {
    this.#over = true
    this.#wakeUp()
  }

  #wakeUp(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }
}
