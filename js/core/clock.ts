/** Where times and timers come from, so that a test can drive them (`FakeClock` of `volo-js/testing`). */
export interface Clock {
  /** Milliseconds since the epoch; deadlines are compared with it. */
  now(): number
  /** Milliseconds with fractions that never go back; durations are measured with it. */
  monotonic(): number
  /** Calls `fire` once after `ms` milliseconds. */
  setTimer(fire: () => void, ms: number): unknown
  /** Forgets a timer that {@link setTimer} returned; one that has fired is ignored. */
  clearTimer(timer: unknown): void
}

/** Node's own timers wrap at 2³¹ ms and then fire at once. */
const longestTimer = 2 ** 31 - 1

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer: (fire, ms) => setTimeout(fire, Math.min(ms, longestTimer)),
  clearTimer: (timer) => {
    clearTimeout(timer as NodeJS.Timeout)
  },
}
