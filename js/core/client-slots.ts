import type { Core } from './addon.js'
import type { InTape } from './tape/reader.js'

/** A call of a client, from the tape until its answer. Slots and generations name it on the tape. */
export interface ClientCall {
  readonly slot: number
  readonly generation: number
  /** A REPLY has come. */
  reply?(tape: InTape, p: number): void
  /** An EXCEPTION has come: its type, its text. */
  exception?(tape: InTape, p: number, type: number, text: string): void
  /** A RESPONSE has come. */
  response?(tape: InTape, p: number): void
  /** HEADERS have come. */
  headers?(tape: InTape, p: number): void
  /** A STREAM_MESSAGE has come. */
  message?(tape: InTape, p: number): void
  /** A STREAM_END has come. */
  finished?(tape: InTape, p: number): void
  /** So many of its messages have left. */
  credit?(count: number): void
  /** A FAILURE has come: the call got no answer. */
  failure(status: number, sent: number, text: string): void
}

/**
 * The calls that this isolate's clients have in flight, by slot. A slot carries a generation that changes whenever its call ends, so a late
 * answer reaches nobody.
 */
export class ClientSlots<Call extends ClientCall = ClientCall> {
  readonly #core: Core
  readonly #calls: (Call | undefined)[] = []
  readonly #generations: number[] = []
  readonly #free: number[] = []
  #inFlight = 0

  constructor(core: Core) {
    this.#core = core
  }

  /** A slot for a call that is about to be made: {@link put} it in, or {@link giveBack} the slot. */
  take(): number {
    if (this.#free.length > 0) return this.#free.pop() as number
    this.#generations.push(1)
    return this.#calls.push(undefined) - 1
  }

  /** The generation of the next call in a slot. */
  generationOf(slot: number): number {
    return this.#generations[slot]
  }

  /** From now on what the core says of this slot goes to the call. */
  put(call: Call): void {
    this.#calls[call.slot] = call
    if (this.#inFlight++ === 0) this.#core.ref()
  }

  /** Another call may have the slot: its last one was never made, or the core knows of its end. */
  giveBack(slot: number): void {
    this.#free.push(slot)
  }

  /** The call of this name, unless it is over. */
  find(slot: number, generation: number): Call | undefined {
    const call = this.#calls[slot]
    return call === undefined || call.generation !== generation ? undefined : call
  }

  /** Ends a call; what still comes for it reaches nobody. False if it has ended before. */
  end(call: Call): boolean {
    const { slot } = call
    if (this.#calls[slot] !== call) return false
    this.#calls[slot] = undefined
    this.#generations[slot] = (call.generation + 1) | 0
    this.#inFlight -= 1
    return true
  }

  /** Calls in flight. */
  *[Symbol.iterator](): Generator<Call> {
    for (const call of this.#calls) if (call !== undefined) yield call
  }
}
