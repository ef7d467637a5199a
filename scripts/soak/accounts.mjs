/** What becomes of the calls of a soak run: every call is in `made` and, once it has ended, in exactly one of the others. */

/** What a caller gives a call up with. */
export const gaveUp = new Error('given up')

/** How a call ended that was not answered. @typedef {'failed' | 'expired' | 'cancelled'} Unanswered */

export class Accounts {
  counts = { made: 0, answered: 0, failed: 0, expired: 0, cancelled: 0, wrong: 0 }
  /** @type {string[]} what went wrong; the first few */
  wrongs = []

  /**
   * Makes a call and counts how it ends.
   * @param {() => Promise<unknown>} call
   * @param {(answer: unknown) => boolean} right of an answer, or of an error that is one
   * @param {(error: unknown) => Unanswered | 'answer' | undefined} endOf of an error; undefined if it is none that may come
   */
  async made(call, right, endOf) {
    this.counts.made += 1
    try {
      const answer = await call()
      if (right(answer)) this.counts.answered += 1
      else this.wrong(`answered ${String(answer).slice(0, 100)}`)
    } catch (error) {
      const end = error === gaveUp ? 'cancelled' : endOf(error)
      if (end === 'answer' && right(error)) this.counts.answered += 1
      else if (end === undefined || end === 'answer') {
        this.wrong(error instanceof Error ? (error.stack ?? error.message) : String(error))
      } else this.counts[end] += 1
    }
  }

  /** @param {string} what */
  wrong(what) {
    this.counts.wrong += 1
    if (this.wrongs.length < 5) this.wrongs.push(what)
  }
}
