/** Connections that are made before a call needs them. */
import type { Address } from './address.js'
import type { Caller } from './client-calls.js'
import type { ClientCall, ClientSlots } from './client-slots.js'
import { TransportError, VoloError } from './errors.js'
import { reportEvent } from './report.js'
import { codeOf } from './status.js'
import { Kind } from './tape/layout.js'
import type { OutTape } from './tape/writer.js'

/** Options of `Client.warmUp`. */
export interface WarmUpOptions {
  /**
   * Connections to every address, those counted that there are already. At most `size` of the pool, or `connections` of a client that is
   * pipelined or multiplexed. Default: 1 of a pool, all of a client that is pipelined or multiplexed.
   */
  readonly connections?: number
  /** Where to connect: the client's own address, and those that single calls name (`{ address }`). Default: the client's own. */
  readonly addresses?: readonly Address[]
  /**
   * What becomes of connections that cannot be made: `fail` rejects with the first one's error once it is known of all, `warn` reports each as an event,
   * `ignore` says nothing. Default `fail`.
   */
  readonly errors?: 'fail' | 'warn' | 'ignore'
}

/**
 * How many connections to make of at most so many.
 * @throws VoloError INVALID_ARGUMENT if they are none, or too many.
 */
export function checkConnections(connections: number, most: number): void {
  if (Number.isInteger(connections) && connections >= 1 && connections <= most) return
  throw new VoloError(
    'INVALID_ARGUMENT',
    `connections must be a whole number from 1 to ${most}, the most that this client has to an address, not ${connections}`,
  )
}

/** Does as the option says about what failed. */
export function judge(failures: readonly unknown[], errors: WarmUpOptions['errors'] = 'fail'): void {
  if (failures.length === 0 || errors === 'ignore') return
  if (errors === 'fail') throw failures[0]
  for (const failure of failures) reportEvent(1, failure instanceof Error ? failure.message : String(failure))
}

/** A connection that is waited for. */
class Awaited implements ClientCall {
  constructor(
    readonly slots: ClientSlots,
    readonly caller: Caller,
    readonly callee: string,
    readonly slot: number,
    readonly generation: number,
    readonly resolve: () => void,
    readonly reject: (error: Error) => void,
  ) {}

  reply(): void {
    this.#over()
    this.resolve()
  }

  failure(status: number, _sent: number, text: string): void {
    this.#over()
    this.caller.unreachable()
    const message = `the client of '${this.callee}' could not be warmed up for ${this.caller.address}: ${text}`
    this.reject(new TransportError(codeOf(status), message, { sent: 'no' }))
  }

  #over(): void {
    if (this.slots.end(this)) this.slots.giveBack(this.slot)
  }
}

/** Asks the core for so many connections; each is told of by itself. */
export function connect(
  slots: ClientSlots,
  out: OutTape,
  caller: Caller,
  callee: string,
  count: number,
): Promise<void>[] {
  return Array.from(
    { length: count },
    (_, index) =>
      new Promise<void>((resolve, reject) => {
        const slot = slots.take()
        const generation = slots.generationOf(slot)
        try {
          out.open(Kind.CONNECT, slot, generation, index + 1, caller.owner)
          out.close()
        } catch (error) {
          slots.giveBack(slot)
          throw error
        }
        slots.put(new Awaited(slots, caller, callee, slot, generation, resolve, reject))
      }),
  )
}
