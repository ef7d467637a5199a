/** Waits between attempts that fail: none before the first, then doubling from `min` to `max`, each shortened by up to a half at random. */
export class Backoff {
  readonly #min: number
  readonly #max: number
  #failures = 0

  /** Milliseconds. */
  constructor(min: number, max: number) {
    this.#min = min
    this.#max = Math.max(min, max)
  }

  /** Something failed: how many milliseconds to wait now. */
  next(random: () => number = Math.random): number {
    const failures = this.#failures++
    if (failures === 0) return 0
    // Beyond 2 ** 52 the product would lose its meaning long after it reached the maximum.
    const full = Math.min(this.#max, this.#min * 2 ** Math.min(failures - 1, 52))
    return full * (1 - random() / 2)
  }

  /** What failed has proven sound. */
  reset(): void {
    this.#failures = 0
  }
}
