import type { CallContext, CallOrigin } from '../core/call-context.js'
import { scopeOf, type GrpcCallOptions } from '../core/call-options.js'
import type { MethodDescriptor } from '../core/descriptor.js'
import { Metadata } from '../core/metadata.js'
import type { MethodInfo } from '../core/method-info.js'
import { isPromiseLike, rejected, type Answer } from '../core/service.js'
import { deadlineError, within } from '../core/within.js'
import { GrpcCallContext } from './grpc-call-context.js'
import { LateMessages } from './late-messages.js'

type Call = (cx: CallContext, request: unknown) => Answer<unknown>

/** A method of a gRPC client: a promise of the response, or an iterable of them. */
export function grpcClientMethod(
  origin: CallOrigin,
  info: MethodInfo,
  method: MethodDescriptor,
  call: Call,
): (request?: unknown, options?: GrpcCallOptions) => unknown {
  const streams = info.kind === 'serverStream' || info.kind === 'bidiStream'
  return (request = {}, options) => {
    const cx = new GrpcCallContext(origin, info, method, -1, 0, 0, 0, '', undefined)
    try {
      if (options?.metadata !== undefined) {
        const { metadata } = options
        cx.configure(options, metadata instanceof Metadata ? metadata : new Metadata(metadata))
      } else if (options !== undefined) cx.configure(options, undefined)
      return streams ? stream(cx, options, call, request) : unary(cx, options, call, request)
    } catch (error) {
      return streams ? failed(error) : rejected(error)
    }
  }
}

function unary(cx: GrpcCallContext, options: GrpcCallOptions | undefined, call: Call, request: unknown): unknown {
  const now = options === undefined ? 0 : cx.origin.clock.now()
  const scope = options === undefined ? undefined : scopeOf(options, now)
  let answer: Answer<unknown>
  if (scope === undefined) answer = call(cx, request)
  else {
    cx.scope = scope
    const limit = (scope.deadline ?? Infinity) - now
    answer = within(cx, scope, limit, call, cx, request)
  }
  return answer instanceof Promise ? answer : Promise.resolve(answer)
}

/** The bounds of a call that streams its answer hold until the stream is over, not only until it begins. */
function stream(cx: GrpcCallContext, options: GrpcCallOptions | undefined, call: Call, request: unknown): unknown {
  const now = options === undefined ? 0 : cx.origin.clock.now()
  const scope = options === undefined ? undefined : scopeOf(options, now)
  if (scope !== undefined) {
    cx.scope = scope
    const limit = (scope.deadline ?? Infinity) - now
    if (limit <= 0) {
      const progress = { sent: 'no', text: 'the deadline had passed before the call was made' } as const
      return failed(deadlineError(cx, limit, 0, progress))
    }
    scope.arm(cx.origin.clock, (lag, progress) => deadlineError(cx, limit, lag, progress))
    cx.endWith(scope)
  }
  let answer: Answer<unknown>
  try {
    answer = call(cx, request)
  } catch (error) {
    cx.ended()
    throw error
  }
  return isPromiseLike(answer)
    ? new LateMessages(answer as PromiseLike<AsyncIterable<unknown>>, () => cx.ended())
    : answer
}

function failed(error: unknown): AsyncIterable<never> {
  return {
    [Symbol.asyncIterator]: () => ({ next: () => rejected(error) }),
  }
}
