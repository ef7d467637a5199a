import type { CallContext } from './call-context.js'
import { VoloError } from './errors.js'
import type { Abortable, Progress, Scope } from './scope.js'
import { isPromiseLike, type Answer } from './service.js'

/**
 * Runs `call`, whose context is bound by a scope: its deadline and its abort end the wait, whatever goes on inside.
 *
 * An answer given at once is passed on at once, with no timer and no promise.
 *
 * @param limit Milliseconds until the scope's deadline; Infinity if it has none.
 */
export function within<Cx, Req, Res>(
  own: CallContext,
  scope: Scope,
  limit: number,
  call: (cx: Cx, req: Req) => Answer<Res>,
  cx: Cx,
  req: Req,
): Answer<Res> {
  if (scope.reason !== undefined) {
    scope.end()
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- what the caller's signal was aborted with
    throw scope.reason
  }
  if (limit <= 0) {
    scope.end()
    throw deadlineError(own, limit, 0, { sent: 'no', text: 'the deadline had passed before the call was made' })
  }
  let answer: Answer<Res>
  try {
    answer = call(cx, req)
  } catch (error) {
    scope.end()
    throw error
  }
  if (!isPromiseLike(answer)) {
    scope.end()
    return answer
  }
  return new Promise<Res>((resolve, reject) => {
    const waiting = new Waiting(scope, reject)
    Promise.resolve(answer).then(
      (value) => {
        if (waiting.leave()) resolve(value)
      },
      (error: unknown) => {
        waiting.abort(error)
      },
    )
    scope.add(waiting)
    scope.arm(own.origin.clock, (lag, progress) => deadlineError(own, limit, lag, progress))
  })
}

/** Waits for an answer or for the end of the scope, whichever comes first. */
class Waiting implements Abortable {
  readonly #scope: Scope
  readonly #reject: (reason: unknown) => void
  #over = false

  constructor(scope: Scope, reject: (reason: unknown) => void) {
    this.#scope = scope
    this.#reject = reject
  }

  /** False if it has ended already. */
  leave(): boolean {
    if (this.#over) return false
    this.#over = true
    this.#scope.end()
    return true
  }

  abort(reason: unknown): void {
    if (this.leave()) this.#reject(reason)
  }
}

/**
 * What a call that did not end in time rejects with.
 * @param limit The milliseconds that were allowed.
 * @param lag Milliseconds the timer itself was late.
 */
export function deadlineError(cx: CallContext, limit: number, lag: number, progress: Progress | undefined): VoloError {
  const { service, wireName } = cx.method
  const text = [`no answer from ${service}.${wireName} within ${round(limit)} ms`]
  if (progress !== undefined) text.push(progress.text)
  // A late timer means that JavaScript was busy: the answer may even have been there.
  if (lag > 5 && lag > limit / 10) text.push(`this event loop was busy for ${round(lag)} ms beyond that`)
  return new VoloError('DEADLINE_EXCEEDED', text.join('; '), { sent: progress?.sent ?? 'no' })
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10
}
