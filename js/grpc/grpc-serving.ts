import type { CallContext, CallOrigin } from '../core/call-context.js'
import { VoloError } from '../core/errors.js'
import type { GrpcMethodDescriptor } from '../core/descriptor.js'
import { isAnswer } from '../core/internal-errors.js'
import type { GrpcReceiver } from '../core/owner.js'
import { reportEvent } from '../core/report.js'
import { Scope } from '../core/scope.js'
import { isPromiseLike, type Answer, type Service } from '../core/service.js'
import type { ErrorHook, ServedMethod } from '../core/serving-calls.js'
import { Status } from '../core/status.js'
import { HEADER_SLOTS, Kind } from '../core/tape/layout.js'
import type { InTape } from '../core/tape/reader.js'
import type { OutTape } from '../core/tape/writer.js'
import { GrpcCallContext } from './grpc-call-context.js'
import { errorMetadata } from './grpc-error.js'
import { IncomingMessages } from './incoming-messages.js'
import { joinedTexts, metadataText } from './metadata-text.js'
import { isIterable, pump } from './pump.js'
import { Body, Flags, messageAt } from './message-body.js'
import { SendWindow } from './send-window.js'

/** Milliseconds by which the caller's clock may be ahead: it resets the call when its own timer says that the time is over. */
const SKEW = 20

/** A call that is not over when its delivery is: it waits for a promise, or streams. */
class ServerCall {
  readonly cx: GrpcCallContext
  readonly window: SendWindow = new SendWindow()
  incoming: IncomingMessages<unknown> | undefined
  isOver = false

  constructor(cx: GrpcCallContext) {
    this.cx = cx
    this.incoming = undefined
  }
}

/**
 * The gRPC calls that one server answers: requests from the tape through the chain to the handler, answers back to the tape. No
 * handler, layer or message can harm another call.
 */
export class GrpcServing implements GrpcReceiver {
  readonly #origin: CallOrigin
  readonly #methods: readonly (ServedMethod | undefined)[]
  readonly #call: (cx: CallContext, request: unknown) => Answer<unknown>
  readonly #out: OutTape
  /** Id of the server. */
  readonly #owner: number
  readonly #onError: ErrorHook
  /** Calls that are not over, by slot. */
  readonly #calls: (ServerCall | undefined)[] = []

  /** @param methods by their index in the program. */
  constructor(
    origin: CallOrigin,
    methods: readonly (ServedMethod | undefined)[],
    service: Service<CallContext, unknown, unknown>,
    out: OutTape,
    owner: number,
    onError: ErrorHook,
  ) {
    this.#origin = origin
    this.#methods = methods
    this.#call = service.call.bind(service)
    this.#out = out
    this.#owner = owner
    this.#onError = onError
  }

  request(tape: InTape, p: number, slot: number, generation: number, method: number): void {
    const served = this.#methods[method]
    if (served === undefined) {
      // The core knows only methods of the services it was told to serve, and answers others by itself.
      this.#end(slot, generation, method, Status.UNIMPLEMENTED, 'no such method', '', '')
      return
    }
    tape.begin(p)
    const body = p + HEADER_SLOTS
    const { descriptor, info } = served
    const { i32 } = tape
    const at = 2 * (body + Body.CONNECTION)
    const wire = tape.string(body + Body.METADATA)
    const cx = new GrpcCallContext(this.#origin, info, served, slot, generation, i32[at], i32[at + 1], wire, this)
    const timeout = tape.f64[body + Body.TIMEOUT]
    // The core watches the time and tells with GONE when it is over.
    if (timeout > 0) cx.scope = new Scope(undefined, this.#origin.clock.now() + timeout)
    let call: ServerCall | undefined
    let request: unknown
    if (info.kind === 'clientStream' || info.kind === 'bidiStream') {
      call = this.#open(cx)
      request = call.incoming = new IncomingMessages({
        used: (count) => this.#credit(cx, count),
        left: () => undefined,
      })
    } else {
      try {
        request = descriptor.readArgs(tape, messageAt(tape, body))
      } catch (error) {
        this.#fail(cx, error)
        return
      }
    }
    let answer: Answer<unknown>
    try {
      answer = this.#call(cx, request)
      if (info.kind === 'serverStream' || info.kind === 'bidiStream') {
        this.#stream(call ?? this.#open(cx), answer)
        return
      }
      if (isPromiseLike(answer)) {
        this.#wait(call ?? this.#open(cx), answer)
        return
      }
    } catch (error) {
      if (call === undefined || this.#over(call)) this.#fail(cx, error)
      return
    }
    if (call === undefined || this.#over(call)) this.#respond(cx, answer)
  }

  message(tape: InTape, p: number, slot: number, generation: number): void {
    const call = this.#find(slot, generation)
    if (call?.incoming === undefined) return
    const body = p + HEADER_SLOTS
    tape.begin(p)
    let message: unknown
    try {
      message = method(call.cx).readArgs(tape, messageAt(tape, body))
      call.cx.received(message)
    } catch (error) {
      if (this.#over(call)) this.#fail(call.cx, error)
      return
    }
    call.incoming.push(message, (tape.i32[2 * body + 1] & Flags.WANTS_CREDIT) !== 0)
  }

  end(slot: number, generation: number): void {
    this.#find(slot, generation)?.incoming?.end()
  }

  credit(slot: number, generation: number, count: number): void {
    this.#find(slot, generation)?.window.credit(count)
  }

  /** A GONE has come: nobody waits for this answer. */
  gone(slot: number, generation: number): void {
    const call = this.#find(slot, generation)
    if (call === undefined) return
    const { cx } = call
    const late = cx.deadline !== undefined && cx.deadline <= this.#origin.clock.now() + SKEW
    const reason = late
      ? new VoloError('DEADLINE_EXCEEDED', 'the time the caller gave this call is over')
      : new VoloError('CANCELLED', 'the caller has given this call up, or its connection was closed')
    this.#over(call, reason)
    cx.abandon(reason)
  }

  /** Initial metadata before the first message. */
  sendHeaders(cx: GrpcCallContext, text: string): void {
    this.#out.whenFree(() => {
      const out = this.#out
      out.open(Kind.HEADERS, cx.slot, cx.generation, this.#index(cx), this.#owner)
      const body = out.alloc(2)
      out.string(body, text)
      out.i32[2 * (body + Body.FLAGS)] = 0
      out.i32[2 * (body + Body.FLAGS) + 1] = cx.encodingFlags
      out.close()
    })
  }

  #open(cx: GrpcCallContext): ServerCall {
    const before = this.#calls[cx.slot]
    // The core reuses a slot only when its call is over, so that call's GONE is still on its way.
    if (before !== undefined) this.gone(before.cx.slot, before.cx.generation)
    return (this.#calls[cx.slot] = new ServerCall(cx))
  }

  #find(slot: number, generation: number): ServerCall | undefined {
    const call = this.#calls[slot]
    return call === undefined || call.cx.generation !== generation ? undefined : call
  }

  /** Ends a call on this side; false if it has ended before. */
  #over(call: ServerCall, reason?: unknown): boolean {
    if (call.isOver) return false
    call.isOver = true
    this.#calls[call.cx.slot] = undefined
    call.window.end()
    if (reason === undefined) call.incoming?.end()
    else call.incoming?.fail(reason)
    return true
  }

  #wait(call: ServerCall, answer: PromiseLike<unknown>): void {
    // A thenable of somebody else may throw, answer twice, or answer with another one; a promise does not.
    Promise.resolve(answer).then(
      (value) => {
        if (this.#over(call)) this.#respond(call.cx, value)
      },
      (error: unknown) => {
        if (this.#over(call)) this.#fail(call.cx, error)
      },
    )
  }

  /** Sends what a handler streams. */
  #stream(call: ServerCall, answer: Answer<unknown>): void {
    const { cx } = call
    const sent = async (): Promise<void> => {
      const messages = isPromiseLike(answer) ? await answer : answer
      if (!isIterable(messages)) {
        throw new TypeError(
          `the handler of ${cx.method.service}.${cx.method.wireName} gave ${typeof messages}; it streams, so it gives an iterable (write it as 'async *${cx.method.name}')`,
        )
      }
      await pump(messages, {
        window: call.window,
        get isOver() {
          return call.isOver
        },
        send: (message) => this.#message(cx, message, call.window),
      })
    }
    sent().then(
      () => {
        if (this.#over(call)) this.#complete(cx)
      },
      (error: unknown) => {
        if (this.#over(call)) this.#fail(cx, error)
      },
    )
  }

  /** The handler has sent all. */
  #complete(cx: GrpcCallContext): void {
    let trailers: string
    try {
      trailers = cx.trailersText
    } catch (error) {
      this.#internal(cx, error)
      return
    }
    this.#finish(cx, Status.OK, '', trailers)
  }

  /** One message of a stream; throws if the IDL does not allow it. */
  #message(cx: GrpcCallContext, message: unknown, window: SendWindow): void {
    const out = this.#out
    cx.sending(message)
    // Initial metadata go before the first message.
    cx.sendHeaders()
    out.open(Kind.STREAM_MESSAGE, cx.slot, cx.generation, this.#index(cx), this.#owner)
    try {
      const body = out.alloc(1)
      const at = method(cx).writeResult(out, message)
      out.point(body, at, 0)
      out.i32[2 * body + 1] = window.count(out.messageSize) | cx.messageFlags
    } catch (error) {
      out.rollback()
      throw error
    }
    out.close()
  }

  #credit(cx: GrpcCallContext, count: number): void {
    this.#out.whenFree(() => {
      const out = this.#out
      out.open(Kind.CREDIT, cx.slot, cx.generation, this.#index(cx), this.#owner)
      const body = out.alloc(1)
      out.i32[2 * body] = count
      out.i32[2 * body + 1] = 0
      out.close()
    })
  }

  #respond(cx: GrpcCallContext, value: unknown): void {
    const out = this.#out
    if (out.writing) {
      out.whenFree(() => this.#respond(cx, value))
      return
    }
    let headers: string
    let trailers: string
    try {
      headers = cx.takeHeadersText()
      trailers = cx.trailersText
    } catch (error) {
      this.#internal(cx, error)
      return
    }
    out.open(Kind.RESPONSE, cx.slot, cx.generation, this.#index(cx), this.#owner)
    try {
      const body = out.alloc(3)
      const at = method(cx).writeResult(out, value)
      out.point(body + Body.MESSAGE, at, cx.encodingFlags | cx.messageFlags)
      out.string(body + Body.HEADERS, headers)
      out.string(body + Body.TRAILERS, trailers)
      out.close()
    } catch (error) {
      out.rollback()
      this.#internal(cx, error)
    }
  }

  #fail(cx: GrpcCallContext, error: unknown): void {
    if (!isAnswer(error)) {
      this.#internal(cx, error)
      return
    }
    let trailers: string
    try {
      trailers = joinedTexts(cx.trailersText, metadataText(errorMetadata(error)))
    } catch (wrong) {
      this.#internal(cx, wrong)
      return
    }
    this.#finish(cx, error.status, error.message, trailers)
  }

  /** The peer learns that something went wrong, the operator what. */
  #internal(cx: GrpcCallContext, error: unknown): void {
    try {
      this.#onError(error, cx)
    } catch (hookError) {
      reportEvent(2, 'onError itself failed', hookError)
      reportEvent(2, `${cx.method.service}.${cx.method.wireName} failed`, error)
    }
    const text = `internal error in ${cx.method.service}.${cx.method.wireName}`
    this.#finish(cx, Status.UNKNOWN, text, '')
  }

  #finish(cx: GrpcCallContext, status: number, text: string, trailers: string): void {
    let headers = ''
    try {
      headers = cx.takeHeadersText()
    } catch (error) {
      reportEvent(2, `headers of ${cx.method.service}.${cx.method.wireName} cannot be sent`, error)
    }
    this.#out.whenFree(() => this.#end(cx.slot, cx.generation, this.#index(cx), status, text, trailers, headers))
  }

  #end(
    slot: number,
    generation: number,
    method: number,
    status: number,
    text: string,
    trailers: string,
    headers: string,
  ): void {
    const out = this.#out
    out.open(Kind.STREAM_END, slot, generation, method, this.#owner)
    const body = out.alloc(4)
    out.i32[2 * body] = status
    out.i32[2 * body + 1] = 0
    out.string(body + Body.TEXT, text)
    out.string(body + Body.END_TRAILERS, trailers)
    out.string(body + Body.END_HEADERS, headers)
    out.close()
  }

  #index(cx: GrpcCallContext): number {
    return (cx.target as ServedMethod).index
  }
}

function method(cx: GrpcCallContext): GrpcMethodDescriptor {
  return (cx.target as ServedMethod).descriptor as GrpcMethodDescriptor
}
