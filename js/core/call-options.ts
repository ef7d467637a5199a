import { CallContext } from './call-context.js'
import type { CallScope } from './context.js'
import { milliseconds, type Duration } from './duration.js'
import { Scope } from './scope.js'
import type { Answer } from './service.js'
import { within } from './within.js'

/** Options of one call. */
export interface CallOptions {
  /** Time for the whole call, retries included. Default: none. */
  readonly timeout?: Duration | undefined
  /** Gives the call up; it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /**
   * The call, or group of calls, that this one is made for: its deadline holds here too, and its end is the end of this one. Inside of
   * a handler pass its `cx`. It is explicit because following it through awaits would cost every promise of the program.
   */
  readonly parent?: CallScope | undefined
}

/** Makes a call inside of what its options allow. */
export function callWithin(
  cx: CallContext,
  options: CallOptions,
  call: (cx: CallContext, request: unknown) => Answer<unknown>,
  request: unknown,
): Answer<unknown> {
  const { timeout, signal, parent } = options
  if (timeout === undefined && signal === undefined && parent === undefined) return call(cx, request)
  const now = cx.origin.clock.now()
  const due = timeout === undefined ? undefined : now + milliseconds(timeout, 'timeout')
  const outer = parent instanceof CallContext ? parent.openScope() : parent instanceof Scope ? parent : undefined
  const scope =
    parent !== undefined && outer === undefined
      ? new Scope(undefined, earlier(due, parent.deadline))
      : new Scope(outer, due)
  // A scope of another copy of the package, or of the user's own.
  if (parent !== undefined && outer === undefined) scope.follow(parent.signal)
  if (signal !== undefined) scope.follow(signal)
  cx.scope = scope
  return within(cx, scope, (scope.deadline ?? Infinity) - now, call, cx, request)
}

function earlier(one: number | undefined, other: number | undefined): number | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return Math.min(one, other)
}
