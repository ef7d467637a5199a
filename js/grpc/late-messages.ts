import { isPromiseLike } from '../core/service.js'

/**
 * The messages of a stream that is begun later: a layer or the lookup of a name comes first. It is begun whether or not anybody reads; errors are the
 * reader's. A reader that leaves before it has begun leaves it as soon as it has.
 */
export class LateMessages<T> implements AsyncIterableIterator<T, undefined> {
  readonly #begun: Promise<AsyncIterator<T>>
  #left = false

  /** @param failed called if it is never begun. */
  constructor(begun: PromiseLike<AsyncIterable<T>>, failed: () => void) {
    this.#begun = Promise.resolve(begun).then((messages) => messages[Symbol.asyncIterator]())
    this.#begun.catch(failed)
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    if (this.#left) return done
    const messages = await this.#begun
    return messages.next() as Promise<IteratorResult<T, undefined>>
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.#left = true
    // Nobody is left to be told that it failed.
    this.#begun.then(leave, () => undefined)
    return Promise.resolve(done)
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}

const done: IteratorReturnResult<undefined> = { done: true, value: undefined }

function leave(messages: AsyncIterator<unknown>): void {
  const left = messages.return?.()
  // A generator of a layer may throw on its way out; the reader has gone.
  if (isPromiseLike(left)) left.then(undefined, () => undefined)
}
