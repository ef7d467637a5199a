import type { Clock } from './clock.js'
import type { CallScope } from './context.js'
import type { Sent } from './errors.js'
import { VoloError } from './errors.js'

/** Something that ends when its scope does. */
export interface Abortable {
  /** Must not throw. */
  abort(reason: unknown): void
  /** What is going on inside, for the message of a deadline error. */
  progress?(): Progress | undefined
}

/** How far a call has come. */
export interface Progress {
  readonly sent: Sent
  /** A clause: `the request was written to 127.0.0.1:8080`. */
  readonly text: string
}

/**
 * A stretch of a call that ends by itself or is aborted: by its deadline, or with the scope around it.
 *
 * `timeout()` opens one around what it wraps, so that a retry outside of it begins with a fresh one.
 */
export class Scope implements CallScope, Abortable {
  readonly deadline: number | undefined
  /** Why it was aborted; undefined while it was not. */
  reason: unknown
  readonly #parent: Scope | undefined
  #controller: AbortController | undefined
  #inside: Abortable[] | undefined
  #clock: Clock | undefined
  #timer: unknown
  #unfollow: (() => void) | undefined
  /** The parent knows of it. Put off until something inside waits: most calls are over before. */
  #attached: boolean

  /** The call that a group of calls is made for. */
  madeFor: CallScope | undefined

  /** @param deadline Milliseconds since the epoch; the parent's holds if it is earlier. */
  constructor(parent: Scope | undefined, deadline: number | undefined) {
    const outer = parent?.deadline
    this.#parent = parent
    this.deadline = outer !== undefined && (deadline === undefined || outer < deadline) ? outer : deadline
    this.reason = undefined
    this.madeFor = undefined
    this.#controller = undefined
    this.#inside = undefined
    this.#clock = undefined
    this.#timer = undefined
    this.#unfollow = undefined
    this.#attached = parent === undefined
    if (parent?.reason !== undefined) this.reason = parent.reason
  }

  get signal(): AbortSignal {
    this.#attach()
    let controller = this.#controller
    if (controller === undefined) {
      controller = this.#controller = new AbortController()
      if (this.reason !== undefined) controller.abort(this.reason)
    }
    return controller.signal
  }

  /** Aborts `inside` when this is aborted, now if it has been. */
  add(inside: Abortable): void {
    this.#attach()
    if (this.reason !== undefined) inside.abort(this.reason)
    else if (this.#inside === undefined) this.#inside = [inside]
    else this.#inside.push(inside)
  }

  /** Ends what {@link add} began. */
  remove(inside: Abortable): void {
    const list = this.#inside
    if (list === undefined) return
    if (list[list.length - 1] === inside) {
      list.pop()
      return
    }
    const index = list.indexOf(inside)
    if (index >= 0) list.splice(index, 1)
  }

  abort(reason: unknown): void {
    if (this.reason !== undefined) return
    this.reason = reason ?? new VoloError('CANCELLED', 'the call was aborted')
    this.#disarm()
    const list = this.#inside
    this.#inside = undefined
    if (list !== undefined) for (const inside of list) inside.abort(this.reason)
    this.#controller?.abort(this.reason)
  }

  /** Aborts when `signal` does, until {@link end}. */
  follow(signal: AbortSignal): void {
    if (signal.aborted) {
      this.abort(signal.reason)
      return
    }
    const listener = (): void => this.abort(signal.reason)
    signal.addEventListener('abort', listener, { once: true })
    const unfollow = this.#unfollow
    this.#unfollow = () => {
      signal.removeEventListener('abort', listener)
      unfollow?.()
    }
  }

  /** Aborts at the deadline with what `late` makes of the milliseconds the timer itself was late. */
  arm(clock: Clock, late: (lag: number, progress: Progress | undefined) => unknown): void {
    const deadline = this.deadline
    if (deadline === undefined || this.reason !== undefined || this.#timer !== undefined) return
    this.#clock = clock
    const fire = (): void => {
      const early = deadline - clock.now()
      // Timers count monotonic time and may fire a millisecond before the wall clock gets there; far deadlines take several.
      if (early > 1) this.#timer = clock.setTimer(fire, early)
      else this.abort(late(-early, this.progress()))
    }
    this.#timer = clock.setTimer(fire, Math.max(0, deadline - clock.now()))
  }

  /** The work is over: no timer, nothing to abort. */
  end(): void {
    this.#disarm()
    this.#unfollow?.()
    if (this.#attached) this.#parent?.remove(this)
  }

  /** Of the innermost thing that knows. */
  progress(): Progress | undefined {
    const list = this.#inside ?? []
    for (let i = list.length - 1; i >= 0; i -= 1) {
      const progress = list[i].progress?.()
      if (progress !== undefined) return progress
    }
    return undefined
  }

  #attach(): void {
    if (this.#attached) return
    this.#attached = true
    const parent = this.#parent
    if (parent === undefined || this.reason !== undefined) return
    parent.add(this)
  }

  #disarm(): void {
    if (this.#timer === undefined) return
    this.#clock?.clearTimer(this.#timer)
    this.#timer = undefined
  }
}
