import type { ClientCall, ClientSlots } from './client-slots.js'
import type { MethodDescriptor } from './descriptor.js'
import { ThriftApplicationError, ThriftProtocolError, TransportError, VoloError, type Sent } from './errors.js'
import type { Abortable, Progress, Scope } from './scope.js'
import { rejected } from './service.js'
import { codeOf, Status } from './status.js'
import { HEADERS, HEADER_SLOTS, Kind } from './tape/layout.js'
import type { InTape } from './tape/reader.js'
import type { OutTape } from './tape/writer.js'
import { readTail } from '../thrift/tail.js'
import type { ThriftCallContext } from '../thrift/thrift-call-context.js'

/** What a call needs to know about its client. */
export interface Caller {
  /** Id of the client in the core. */
  readonly owner: number
  /** Where it connects, for messages. */
  readonly address: string
  /** Most calls on their way at once; Infinity where connections are shared. */
  readonly poolSize: number
  /** Do headers travel with its calls? */
  readonly isHeaded: boolean
  /** A call failed for want of a connection. */
  unreachable(): void
}

/** What the core's numbers mean. */
export const sentNames: readonly Sent[] = ['no', 'maybe', 'yes']

/** One attempt of a call, from the tape until its reply. */
class PendingCall implements Abortable, ClientCall {
  readonly calls: ClientCalls
  readonly caller: Caller
  readonly method: MethodDescriptor
  readonly cx: ThriftCallContext
  /** Where it is registered to be aborted. */
  readonly scope: Scope | undefined
  readonly slot: number
  readonly generation: number
  /** Counts up over all calls of the isolate: who came first. */
  readonly order: number
  readonly resolve: (value: unknown) => void
  readonly reject: (reason: unknown) => void

  constructor(
    calls: ClientCalls,
    caller: Caller,
    method: MethodDescriptor,
    cx: ThriftCallContext,
    scope: Scope | undefined,
    slot: number,
    generation: number,
    order: number,
    resolve: (value: unknown) => void,
    reject: (reason: unknown) => void,
  ) {
    this.calls = calls
    this.caller = caller
    this.method = method
    this.cx = cx
    this.scope = scope
    this.slot = slot
    this.generation = generation
    this.order = order
    this.resolve = resolve
    this.reject = reject
  }

  abort(reason: unknown): void {
    this.calls.cancel(this, reason)
  }

  progress(): Progress {
    return this.calls.progress(this)
  }

  reply(tape: InTape, p: number): void {
    this.calls.over(this)
    // The reply of a oneway method is empty: its descriptor says what stands for it.
    if (!this.method.oneway) {
      tape.begin(p)
      const headers = readTail(tape, p)
      const biz = headers === '' ? undefined : this.cx.answered(headers)
      if (biz !== undefined) {
        this.reject(biz)
        return
      }
    }
    let result: unknown
    try {
      result = this.method.readResult(tape, p + HEADER_SLOTS)
    } catch (error) {
      this.reject(error)
      return
    }
    this.resolve(result)
  }

  exception(tape: InTape, p: number, type: number, text: string): void {
    this.calls.over(this)
    const headers = readTail(tape, p)
    const biz = headers === '' ? undefined : this.cx.answered(headers)
    if (biz !== undefined) {
      this.reject(biz)
      return
    }
    this.reject(new ThriftApplicationError(text, type))
  }

  failure(status: number, sent: number, text: string): void {
    this.calls.over(this)
    const { service, wireName } = this.cx.method
    const message = `${service}.${wireName} on ${this.caller.address} failed: ${text}`
    const options = { sent: sentNames[sent] ?? 'maybe' }
    if (status === Status.UNAVAILABLE) this.caller.unreachable()
    this.reject(
      status === Status.INTERNAL
        ? new ThriftProtocolError('INTERNAL', message, options)
        : new TransportError(codeOf(status), message, options),
    )
  }
}

/** Headers and the time left; a client whose transport has headers always sends some. */
function writeRequestTail(out: OutTape, cx: ThriftCallContext): void {
  const p = out.alloc(2)
  out.string(p, cx.requestText)
  const { deadline } = cx
  // A deadline that passes now still is one.
  out.f64[p + 1] = deadline === undefined ? 0 : Math.max(deadline - cx.origin.clock.now(), 0.001)
}

/** `new Promise` gives its two functions to a callback; one callback for all calls saves a closure each. */
let resolveLast: (value: unknown) => void
let rejectLast: (reason: unknown) => void
function keep(resolve: (value: unknown) => void, reject: (reason: unknown) => void): void {
  resolveLast = resolve
  rejectLast = reject
}

/** The Thrift calls that this isolate's clients have in flight. */
export class ClientCalls {
  readonly #slots: ClientSlots
  readonly #out: OutTape
  #order = 0

  constructor(slots: ClientSlots, out: OutTape) {
    this.#slots = slots
    this.#out = out
  }

  /**
   * Writes a call on the tape.
   * @returns a promise of the result; it rejects with TapeTypeError if the request is not what the IDL says.
   */
  start(caller: Caller, method: MethodDescriptor, cx: ThriftCallContext, request: unknown): Promise<unknown> {
    const scope = cx.scope
    if (scope?.reason !== undefined) return rejected(scope.reason)
    const out = this.#out
    const slot = this.#slots.take()
    const generation = this.#slots.generationOf(slot)
    try {
      out.open(Kind.CALL, slot, generation, caller.isHeaded ? method.index | HEADERS : method.index, caller.owner)
    } catch (error) {
      this.#slots.giveBack(slot)
      return rejected(error)
    }
    try {
      method.writeArgs(out, request)
      if (caller.isHeaded) writeRequestTail(out, cx)
      out.close()
    } catch (error) {
      out.rollback()
      this.#slots.giveBack(slot)
      return rejected(error)
    }
    const promise = new Promise<unknown>(keep)
    const order = this.#order++
    const call = new PendingCall(this, caller, method, cx, scope, slot, generation, order, resolveLast, rejectLast)
    this.#slots.put(call)
    scope?.add(call)
    return promise
  }

  /** The core has ended a call. */
  over(call: PendingCall): void {
    if (this.#end(call)) this.#slots.giveBack(call.slot)
  }

  /** The caller gives up: the core frees what the call holds, and its reply reaches nobody. */
  cancel(call: PendingCall, reason: unknown): void {
    if (!this.#end(call)) return
    this.#out.whenFree(() => this.#writeCancel(call))
    call.reject(reason)
  }

  /** How far a call has come, as far as this side knows. */
  progress(call: PendingCall): Progress {
    const { address, poolSize } = call.caller
    let ahead = 0
    if (poolSize !== Infinity) {
      for (const other of this.#slots) {
        if (other instanceof PendingCall && other.caller === call.caller && other.order < call.order) ahead += 1
      }
    }
    // Calls are given connections in the order they were made, so this one cannot have left.
    if (ahead >= poolSize) {
      return {
        sent: 'no',
        text: `it waited for a connection to ${address}, behind ${ahead} calls in a pool of ${poolSize}`,
      }
    }
    return { sent: 'maybe', text: `it was on its way to ${address}, which may have processed it` }
  }

  #writeCancel(call: PendingCall): void {
    this.#out.open(Kind.CANCEL, call.slot, call.generation, call.method.index, call.caller.owner)
    this.#out.close()
    // Only now: the core must see the end of this call before another one takes its slot.
    this.#slots.giveBack(call.slot)
  }

  /** False if the call has ended before. */
  #end(call: PendingCall): boolean {
    if (!this.#slots.end(call)) return false
    call.scope?.remove(call)
    return true
  }
}

/** Calls through a closed client. */
export function clientClosed(callee: string): VoloError {
  return new TransportError('UNAVAILABLE', `the client of '${callee}' is closed; build a new one`, { sent: 'no' })
}
