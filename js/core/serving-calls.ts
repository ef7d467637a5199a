import type { CallContext, CallOrigin } from './call-context.js'
import type { MethodDescriptor } from './descriptor.js'
import { ThriftApplicationErrorType, VoloError } from './errors.js'
import { isAnswer } from './internal-errors.js'
import { methodInfo, type MethodInfo } from './method-info.js'
import { reportEvent } from './report.js'
import { isPromiseLike, type Answer, type Service } from './service.js'
import { Scope } from './scope.js'
import { HEADERS, HEADER_SLOTS, Kind, METHOD, ONEWAY } from './tape/layout.js'
import type { InTape } from './tape/reader.js'
import type { OutTape } from './tape/writer.js'
import { deadlineError } from './within.js'
import { bizErrorText, isBizError } from '../thrift/biz-error.js'
import { ThriftCallContext } from '../thrift/thrift-call-context.js'
import { rawMethod, readRawCall } from '../thrift/raw-call.js'
import { headed, writeTail } from '../thrift/tail.js'

/** A method and the function that answers it. */
export interface ServedMethod {
  readonly info: MethodInfo
  readonly descriptor: MethodDescriptor
  /** Its index in the program that the server has made of all its services' programs. */
  readonly index: number
  readonly handler: (request: unknown, cx: CallContext) => Answer<unknown>
  /** Its result is bytes: {@link RawCall}. */
  readonly isRaw: boolean
}

/** Whose methods are those that no service has. */
const nobody = { name: '' }

/** Told of every error that is not an answer: the peer sees only that there was one. */
export type ErrorHook = (error: unknown, cx: CallContext) => void

/** The innermost service of a server: the handler. */
export const handlerService: Service<CallContext, unknown, unknown> = {
  call: (cx, request) => (cx.target as ServedMethod).handler(request, cx),
}

/**
 * The calls that one server answers: requests from the tape through the chain to the handler, answers back to the tape. No
 * handler, layer or value it returns can harm another call.
 */
export class ServingCalls {
  readonly #origin: CallOrigin
  readonly #methods: readonly (ServedMethod | undefined)[]
  readonly #call: (cx: CallContext, request: unknown) => Answer<unknown>
  readonly #out: OutTape
  /** Id of the server. */
  readonly #owner: number
  readonly #onError: ErrorHook
  /** Answers calls of methods that nobody has. */
  readonly #unknown: ServedMethod['handler'] | undefined
  /** Calls whose promise has not settled, by slot. */
  readonly #waiting: (ThriftCallContext | undefined)[] = []

  /** @param methods by their index in the program. */
  constructor(
    origin: CallOrigin,
    methods: readonly (ServedMethod | undefined)[],
    service: Service<CallContext, unknown, unknown>,
    out: OutTape,
    owner: number,
    onError: ErrorHook,
    unknown?: ServedMethod['handler'],
  ) {
    this.#unknown = unknown
    this.#origin = origin
    this.#methods = methods
    this.#call = service.call.bind(service)
    this.#out = out
    this.#owner = owner
    this.#onError = onError
  }

  /** A CALL has come. */
  accept(tape: InTape, p: number, size: number, slot: number, generation: number, flags: number): void {
    const method = flags & METHOD
    const served = this.#methods[method]
    if (served === undefined) {
      // The core knows only methods of the services it was told to serve, and answers others by itself.
      this.#exception(slot, generation, method, ThriftApplicationErrorType.UNKNOWN_METHOD, 'no such method')
      return
    }
    tape.begin(p)
    this.#serve(tape, p, size, slot, generation, flags, served)
  }

  /** A RAW_CALL has come: there is a handler for methods that nobody has. */
  acceptRaw(tape: InTape, p: number, size: number, slot: number, generation: number, flags: number): void {
    const handler = this.#unknown
    if (handler === undefined) return
    tape.begin(p)
    const call = readRawCall(tape, p + HEADER_SLOTS)
    const descriptor = rawMethod(call, (flags & ONEWAY) !== 0)
    const info = methodInfo(nobody, descriptor)
    this.#serve(tape, p, size, slot, generation, flags, { info, descriptor, index: 0, handler, isRaw: true })
  }

  #serve(
    tape: InTape,
    p: number,
    size: number,
    slot: number,
    generation: number,
    flags: number,
    served: ServedMethod,
  ): void {
    const last = p + size - 1
    const wire = (flags & HEADERS) === 0 ? undefined : tape.string(last - 2)
    const cx = new ThriftCallContext(
      this.#origin,
      served.info,
      served,
      slot,
      generation,
      tape.i32[2 * last],
      tape.i32[2 * last + 1],
      wire,
    )
    if (wire !== undefined && tape.f64[last - 1] > 0) {
      cx.scope = new Scope(undefined, this.#origin.clock.now() + tape.f64[last - 1])
    }
    let request: unknown
    try {
      request = served.descriptor.readArgs(tape, p + HEADER_SLOTS)
    } catch (error) {
      this.#refuse(cx, error)
      return
    }
    let answer: Answer<unknown>
    try {
      answer = this.#call(cx, request)
      if (isPromiseLike(answer)) {
        this.#wait(cx, answer)
        return
      }
    } catch (error) {
      this.#fail(cx, error)
      return
    }
    this.#reply(cx, answer)
  }

  /** A GONE has come: nobody waits for this answer. */
  gone(slot: number, generation: number): void {
    const cx = this.#waiting[slot]
    if (cx === undefined || cx.generation !== generation) return
    this.#waiting[slot] = undefined
    cx.abandon(new VoloError('CANCELLED', 'the caller is gone: its connection was closed before the answer'))
  }

  #wait(cx: ThriftCallContext, answer: PromiseLike<unknown>): void {
    const before = this.#waiting[cx.slot]
    // The core reuses a slot only when its call is over, so that call's GONE is still on its way.
    if (before !== undefined) this.gone(before.slot, before.generation)
    this.#waiting[cx.slot] = cx
    if (cx.scope?.deadline !== undefined) this.#expire(cx, cx.scope)
    // A thenable of somebody else may throw, answer twice, or answer with another one; a promise does not.
    Promise.resolve(answer).then(
      (value) => {
        if (this.#settled(cx)) this.#late(cx, false, value)
      },
      (error: unknown) => {
        if (this.#settled(cx)) this.#late(cx, true, error)
      },
    )
  }

  /** The caller has said how long it waits: then it is answered, whatever the handler does. */
  #expire(cx: ThriftCallContext, scope: Scope): void {
    const { clock } = cx.origin
    const limit = (scope.deadline ?? 0) - clock.now()
    scope.add({
      abort: (reason) => {
        if (this.#settled(cx)) this.#late(cx, true, reason)
      },
    })
    scope.arm(clock, (lag, progress) => deadlineError(cx, limit, lag, progress))
  }

  /** Answers outside of a delivery, where what throws would be an unhandled rejection. */
  #late(cx: ThriftCallContext, failed: boolean, value: unknown): void {
    try {
      if (failed) this.#fail(cx, value)
      else this.#reply(cx, value)
    } catch (error) {
      reportEvent(2, `the answer of ${cx.method.service}.${cx.method.wireName} could not be written`, error)
    }
  }

  /** False if the call's answer is not wanted any more, or was given already. */
  #settled(cx: ThriftCallContext): boolean {
    if (this.#waiting[cx.slot] !== cx) return false
    this.#waiting[cx.slot] = undefined
    cx.scope?.end()
    return true
  }

  #reply(cx: ThriftCallContext, value: unknown): void {
    const out = this.#out
    const { descriptor } = cx.target as ServedMethod
    if (out.writing) {
      // Settled by a getter of a value that is being written: this answer comes after that one.
      queueMicrotask(() => this.#late(cx, false, value))
      return
    }
    if (descriptor.oneway) {
      this.#done(cx)
      return
    }
    const headers = cx.isHeaded ? cx.answerText : ''
    const kind = (cx.target as ServedMethod).isRaw ? Kind.RAW_REPLY : Kind.REPLY
    out.open(kind, cx.slot, cx.generation, headed(descriptor.index, headers), this.#owner)
    try {
      descriptor.writeResult(out, value)
      writeTail(out, headers, 0)
      out.close()
    } catch (error) {
      out.rollback()
      this.#internal(cx, error)
    }
  }

  #fail(cx: ThriftCallContext, error: unknown): void {
    const out = this.#out
    const { descriptor } = cx.target as ServedMethod
    if (out.writing) {
      queueMicrotask(() => this.#late(cx, true, error))
      return
    }
    if (descriptor.oneway) {
      this.#report(cx, error)
      this.#done(cx)
      return
    }
    const headers = cx.isHeaded ? cx.answerText : ''
    if (cx.isHeaded && isBizError(error)) {
      // The result is empty: the headers say it all.
      out.open(Kind.REPLY, cx.slot, cx.generation, descriptor.index | HEADERS, this.#owner)
      writeTail(out, headers + bizErrorText(error), 0)
      out.close()
      return
    }
    out.open(Kind.REPLY, cx.slot, cx.generation, headed(descriptor.index, headers), this.#owner)
    try {
      if (descriptor.writeException(out, error)) {
        writeTail(out, headers, 0)
        out.close()
        return
      }
      out.rollback()
    } catch (wrong) {
      out.rollback()
      this.#internal(cx, wrong)
      return
    }
    if (!isAnswer(error)) {
      this.#internal(cx, error)
    } else if (error.name === 'ThriftApplicationError') {
      const type: unknown = (error as { readonly type?: unknown }).type
      const known = typeof type === 'number' ? type : ThriftApplicationErrorType.INTERNAL_ERROR
      this.#exception(cx.slot, cx.generation, descriptor.index, known, error.message)
    } else {
      // Thrift has no place for a code; people at least see it.
      const text = `${error.code}: ${error.message}`
      this.#exception(cx.slot, cx.generation, descriptor.index, ThriftApplicationErrorType.INTERNAL_ERROR, text)
    }
  }

  /** The request is not what the IDL says. */
  #refuse(cx: CallContext, error: unknown): void {
    const { descriptor } = cx.target as ServedMethod
    if (!VoloError.is(error)) {
      this.#internal(cx, error)
    } else if (descriptor.oneway) {
      this.#report(cx, error)
      this.#done(cx)
    } else {
      const type = ThriftApplicationErrorType.PROTOCOL_ERROR
      this.#exception(cx.slot, cx.generation, descriptor.index, type, error.message)
    }
  }

  /** The peer learns that something went wrong, the operator what. */
  #internal(cx: CallContext, error: unknown): void {
    this.#report(cx, error)
    const { descriptor, info } = cx.target as ServedMethod
    const text = `internal error in ${info.service}.${info.wireName}`
    if (descriptor.oneway) this.#done(cx)
    else this.#exception(cx.slot, cx.generation, descriptor.index, ThriftApplicationErrorType.INTERNAL_ERROR, text)
  }

  #exception(slot: number, generation: number, method: number, type: number, message: string): void {
    const out = this.#out
    out.open(Kind.EXCEPTION, slot, generation, method, this.#owner)
    const body = out.alloc(2)
    out.i32[2 * body] = type
    out.i32[2 * body + 1] = 0
    out.string(body + 1, message)
    out.close()
  }

  #done(cx: CallContext): void {
    const { index } = (cx.target as ServedMethod).descriptor
    this.#out.open(Kind.DONE, cx.slot, cx.generation, index, this.#owner)
    this.#out.close()
  }

  #report(cx: CallContext, error: unknown): void {
    try {
      this.#onError(error, cx)
    } catch (hookError) {
      reportEvent(2, 'onError itself failed', hookError)
      reportEvent(2, `${cx.method.service}.${cx.method.wireName} failed`, error)
    }
  }
}
