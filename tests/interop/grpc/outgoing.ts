/** Messages that a caller sends one by one, for calls that take an iterable of them. */
export class Outgoing<T> implements AsyncIterable<T> {
  readonly #messages: T[] = []
  #ended = false
  #wake: (() => void) | undefined

  send(message: T): void {
    this.#messages.push(message)
    this.#wake?.()
  }

  end(): void {
    this.#ended = true
    this.#wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    while (true) {
      const message = this.#messages.shift()
      if (message !== undefined) {
        yield message
        continue
      }
      if (this.#ended) return
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}
