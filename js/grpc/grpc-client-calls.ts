import type { CallContext } from '../core/call-context.js'
import type { Caller } from '../core/client-calls.js'
import { sentNames } from '../core/client-calls.js'
import type { ClientCall, ClientSlots } from '../core/client-slots.js'
import type { GrpcMethodDescriptor } from '../core/descriptor.js'
import { TransportError, VoloError } from '../core/errors.js'
import { reportEvent } from '../core/report.js'
import type { Abortable, Progress, Scope } from '../core/scope.js'
import { rejected, type Answer } from '../core/service.js'
import { codeOf, Status } from '../core/status.js'
import { HEADER_SLOTS, Kind } from '../core/tape/layout.js'
import type { InTape } from '../core/tape/reader.js'
import type { OutTape } from '../core/tape/writer.js'
import { ownGrpcContext, type GrpcCallContext } from './grpc-call-context.js'
import { errorOf, GrpcError } from './grpc-error.js'
import { IncomingMessages } from './incoming-messages.js'
import { joinedTexts, metadataOf } from './metadata-text.js'
import { isIterable, pump } from './pump.js'
import { Body, Flags, messageAt } from './message-body.js'
import { SendWindow } from './send-window.js'

/** One attempt of a gRPC call, from the tape until its status. */
class GrpcClientCall implements Abortable, ClientCall {
  readonly calls: GrpcClientCalls
  readonly caller: Caller
  readonly method: GrpcMethodDescriptor
  readonly cx: GrpcCallContext
  /** Where it is registered to be aborted. */
  readonly scope: Scope | undefined
  readonly slot: number
  readonly generation: number
  /** Where the response streams. */
  readonly incoming: IncomingMessages<unknown> | undefined
  readonly window = new SendWindow()
  /** Where there is one response. */
  resolve: (value: unknown) => void = nothing
  reject: (reason: unknown) => void = nothing
  /** A response that came without its status. */
  single: { readonly value: unknown } | undefined
  isOver = false
  /** Headers have been told. */
  private told = false

  constructor(
    calls: GrpcClientCalls,
    caller: Caller,
    method: GrpcMethodDescriptor,
    cx: GrpcCallContext,
    slot: number,
    generation: number,
  ) {
    this.calls = calls
    this.caller = caller
    this.method = method
    this.cx = cx
    this.scope = cx.scope
    this.slot = slot
    this.generation = generation
    this.single = undefined
    const { kind } = cx.method
    this.incoming =
      kind === 'serverStream' || kind === 'bidiStream'
        ? new IncomingMessages({
            used: (count) => this.calls.credit(this, count),
            left: () => this.abort(new VoloError('CANCELLED', 'the reader of the responses has left')),
          })
        : undefined
  }

  abort(reason: unknown): void {
    this.calls.cancel(this, reason)
  }

  progress(): Progress {
    return { sent: 'maybe', text: `it was on its way to ${this.caller.address}, which may have processed it` }
  }

  response(tape: InTape, p: number): void {
    tape.begin(p)
    const body = p + HEADER_SLOTS
    this.tellHeaders(tape.string(body + Body.HEADERS))
    this.tellTrailers(tape.string(body + Body.TRAILERS))
    let value: unknown
    try {
      value = this.method.readResult(tape, messageAt(tape, body))
    } catch (error) {
      this.fail(error)
      return
    }
    this.calls.over(this)
    this.resolve(value)
  }

  headers(tape: InTape, p: number): void {
    tape.begin(p)
    this.tellHeaders(tape.string(p + HEADER_SLOTS))
  }

  message(tape: InTape, p: number): void {
    tape.begin(p)
    const body = p + HEADER_SLOTS
    let message: unknown
    try {
      message = this.method.readResult(tape, messageAt(tape, body))
      this.cx.received(message)
    } catch (error) {
      this.calls.cancel(this, error)
      return
    }
    this.incoming?.push(message, (tape.i32[2 * body + 1] & Flags.WANTS_CREDIT) !== 0)
  }

  finished(tape: InTape, p: number): void {
    tape.begin(p)
    const body = p + HEADER_SLOTS
    const status = tape.i32[2 * body]
    const text = tape.string(body + Body.TEXT)
    const trailers = tape.string(body + Body.END_TRAILERS)
    this.tellHeaders(tape.string(body + Body.END_HEADERS))
    const { service, wireName } = this.cx.method
    const error =
      status === Status.OK
        ? new GrpcError('INTERNAL', `${service}.${wireName} answered OK without a response`, { sent: 'yes' })
        : errorOf(codeOf(status), text, metadataOf(trailers))
    if (this.incoming === undefined) {
      this.tellTrailers(trailers)
      this.fail(error)
      return
    }
    this.calls.over(this)
    // Whoever reads learns of them behind the last message.
    const tell = (): void => this.tellTrailers(trailers)
    if (status === Status.OK) this.incoming.end(tell)
    else this.incoming.fail(error, tell)
  }

  credit(count: number): void {
    this.window.credit(count)
  }

  failure(status: number, sent: number, text: string): void {
    const { service, wireName } = this.cx.method
    const message = `${service}.${wireName} on ${this.caller.address} failed: ${text}`
    const options = { sent: sentNames[sent] ?? 'maybe' }
    const code = codeOf(status)
    if (status === Status.UNAVAILABLE) this.caller.unreachable()
    this.fail(
      code === 'UNAVAILABLE' ? new TransportError(code, message, options) : new GrpcError(code, message, options),
    )
  }

  /** Ends the call with an error; the core knows of its end. */
  private fail(error: unknown): void {
    this.calls.over(this)
    this.end(error)
  }

  /** Tells whoever waits. */
  end(error: unknown): void {
    if (this.incoming === undefined) this.reject(error)
    else this.incoming.fail(error)
  }

  private tellHeaders(text: string): void {
    if (this.told) return
    this.told = true
    this.cx.responseHeaders = text
    const { onHeader } = this.cx.hooks
    if (onHeader !== undefined) this.tell('onHeader', () => onHeader(this.cx.response.headers))
  }

  private tellTrailers(text: string): void {
    this.cx.responseTrailers = text
    const { onTrailer } = this.cx.hooks
    if (onTrailer !== undefined) this.tell('onTrailer', () => onTrailer(this.cx.response.trailers))
  }

  private tell(hook: string, call: () => void): void {
    try {
      call()
    } catch (error) {
      reportEvent(2, `${hook} of ${this.cx.method.service}.${this.cx.method.wireName} failed`, error)
    }
  }
}

function nothing(): void {
  // Replaced where one waits.
}

/** The gRPC calls that this isolate's clients have in flight. */
export class GrpcClientCalls {
  readonly #slots: ClientSlots
  readonly #out: OutTape

  constructor(slots: ClientSlots, out: OutTape) {
    this.#slots = slots
    this.#out = out
  }

  /**
   * Writes a call on the tape.
   * @param identity text of the metadata of its credentials.
   * @returns a promise of the response, or the responses where they stream.
   */
  start(
    caller: Caller,
    method: GrpcMethodDescriptor,
    outer: CallContext,
    request: unknown,
    identity: string,
  ): Answer<unknown> {
    const cx = ownGrpcContext(outer)
    const { kind } = cx.method
    const streamsIn = kind === 'clientStream' || kind === 'bidiStream'
    if (cx.scope?.reason !== undefined) return this.#refused(kind, cx.scope.reason)
    const slot = this.#slots.take()
    let call: GrpcClientCall
    try {
      if (streamsIn && !isIterable(request)) {
        throw new VoloError(
          'INVALID_ARGUMENT',
          `${cx.method.service}.${cx.method.wireName} streams its requests: pass an iterable or async iterable of them`,
        )
      }
      call = new GrpcClientCall(this, caller, method, cx, slot, this.#slots.generationOf(slot))
      this.#request(call, streamsIn ? undefined : { value: request }, identity)
    } catch (error) {
      this.#slots.giveBack(slot)
      return this.#refused(kind, error)
    }
    const answer =
      call.incoming ??
      new Promise<unknown>((resolve, reject) => {
        call.resolve = resolve
        call.reject = reject
      })
    this.#slots.put(call)
    call.scope?.add(call)
    if (streamsIn) this.#send(call, request as AsyncIterable<unknown>)
    return answer
  }

  /** The core has ended a call. */
  over(call: GrpcClientCall): void {
    if (this.#end(call)) this.#slots.giveBack(call.slot)
  }

  /** The caller gives up: the core frees what the call holds, and its answer reaches nobody. */
  cancel(call: GrpcClientCall, reason: unknown): void {
    if (!this.#end(call)) return
    this.#out.whenFree(() => {
      this.#out.open(Kind.CANCEL, call.slot, call.generation, call.method.index, call.caller.owner)
      this.#out.close()
      // Only now: the core must see the end of this call before another one takes its slot.
      this.#slots.giveBack(call.slot)
    })
    call.end(reason)
  }

  /** Messages of a response have been read. */
  credit(call: GrpcClientCall, count: number): void {
    if (call.isOver) return
    this.#out.whenFree(() => {
      if (call.isOver) return
      const out = this.#out
      out.open(Kind.CREDIT, call.slot, call.generation, call.method.index, call.caller.owner)
      const body = out.alloc(1)
      out.i32[2 * body] = count
      out.i32[2 * body + 1] = 0
      out.close()
    })
  }

  #request(call: GrpcClientCall, message: { readonly value: unknown } | undefined, identity: string): void {
    const { cx, method } = call
    const out = this.#out
    const metadata = joinedTexts(cx.requestText, identity)
    const timeout = cx.deadline === undefined ? 0 : Math.max(1, cx.deadline - cx.origin.clock.now())
    out.open(Kind.REQUEST, call.slot, call.generation, method.index, call.caller.owner)
    try {
      const body = out.alloc(3)
      if (message === undefined) out.i32[2 * body] = 0
      else {
        cx.sending(message.value)
        out.point(body, method.writeArgs(out, message.value), 0)
      }
      out.i32[2 * body + 1] =
        (cx.waitForReady ? Flags.WAIT_FOR_READY : 0) |
        (cx.hooks.onHeader === undefined ? 0 : Flags.HEADERS_EARLY) |
        cx.encodingFlags |
        cx.messageFlags
      out.f64[body + Body.TIMEOUT] = timeout
      out.string(body + Body.METADATA, metadata)
    } catch (error) {
      out.rollback()
      throw error
    }
    out.close()
  }

  /** Sends the requests of a call that streams them. */
  #send(call: GrpcClientCall, requests: AsyncIterable<unknown>): void {
    pump(requests, {
      window: call.window,
      get isOver() {
        return call.isOver
      },
      send: (message) => this.#message(call, message),
    }).then(
      () => {
        if (call.isOver) return
        this.#out.whenFree(() => {
          if (call.isOver) return
          this.#out.open(Kind.STREAM_END, call.slot, call.generation, call.method.index, call.caller.owner)
          this.#out.close()
        })
      },
      // What the caller's own iterable throws ends the call, and is what it rejects with.
      (error: unknown) => this.cancel(call, error),
    )
  }

  #message(call: GrpcClientCall, message: unknown): void {
    const out = this.#out
    call.cx.sending(message)
    out.open(Kind.STREAM_MESSAGE, call.slot, call.generation, call.method.index, call.caller.owner)
    try {
      const body = out.alloc(1)
      out.point(body, call.method.writeArgs(out, message), 0)
      out.i32[2 * body + 1] = call.window.count(out.messageSize) | call.cx.messageFlags
    } catch (error) {
      out.rollback()
      throw error
    }
    out.close()
  }

  /** False if the call has ended before. */
  #end(call: GrpcClientCall): boolean {
    if (!this.#slots.end(call)) return false
    call.isOver = true
    call.scope?.remove(call)
    call.window.end()
    call.cx.ended()
    return true
  }

  #refused(kind: string, error: unknown): Answer<unknown> {
    if (kind !== 'serverStream' && kind !== 'bidiStream') return rejected(error)
    const incoming = new IncomingMessages<unknown>({ used: nothing, left: nothing })
    incoming.fail(error)
    return incoming
  }
}
