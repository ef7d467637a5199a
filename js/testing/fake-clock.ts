import type { Clock } from '../core/clock.js'
import { milliseconds, type Duration } from '../core/duration.js'

interface Timer {
  readonly due: number
  readonly fire: () => void
}

/**
 * A clock that stands still until a test moves it: timeouts fire when the test says so.
 *
 * @example
 * const clock = new FakeClock()
 * const { client } = await pair(ItemService, impl, { clock })
 * const call = client.getItem({ id: 1n }, { timeout: '3s' })
 * clock.advance('3s')
 * await t.throwsAsync(call, { code: 'DEADLINE_EXCEEDED' })
 */
export class FakeClock implements Clock {
  readonly #timers = new Set<Timer>()
  readonly #start: number
  #now: number

  /** @param now Milliseconds since the epoch. Default: 2026-01-01. */
  constructor(now: number = Date.UTC(2026, 0, 1)) {
    this.#start = now
    this.#now = now
  }

  now(): number {
    return this.#now
  }

  monotonic(): number {
    return this.#now - this.#start
  }

  setTimer(fire: () => void, ms: number): unknown {
    const timer: Timer = { due: this.#now + ms, fire }
    this.#timers.add(timer)
    return timer
  }

  clearTimer(timer: unknown): void {
    this.#timers.delete(timer as Timer)
  }

  /** Timers that wait. */
  get timers(): number {
    return this.#timers.size
  }

  /**
   * Moves the clock and fires what falls due, in order, each at its own time.
   * @throws VoloError INVALID_ARGUMENT if `time` is no duration.
   */
  advance(time: Duration): void {
    const end = this.#now + milliseconds(time, 'advance')
    for (;;) {
      const next = this.#next(end)
      if (next === undefined) break
      this.#timers.delete(next)
      this.#now = Math.max(this.#now, next.due)
      next.fire()
    }
    this.#now = end
  }

  #next(end: number): Timer | undefined {
    let next: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.due <= end && (next === undefined || timer.due < next.due)) next = timer
    }
    return next
  }
}
