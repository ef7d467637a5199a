/** What a stream of messages needs from the call it belongs to. */
export interface IncomingSource {
  /** So many messages have been used up since the last time. */
  used(count: number): void
  /** Whoever reads wants no more. */
  left(): void
}

interface Reader<T> {
  readonly resolve: (result: IteratorResult<T, undefined>) => void
  readonly reject: (reason: unknown) => void
}

const done: IteratorReturnResult<undefined> = { done: true, value: undefined }

/**
 * The messages of a stream as they arrive. What is not read yet waits here, in bounds: the core is told of what is used up only as it is
 * read, and holds its peer back meanwhile.
 */
export class IncomingMessages<T> implements AsyncIterableIterator<T, undefined> {
  readonly #source: IncomingSource
  /** Messages from `#head` on wait. */
  #queue: T[] = []
  #head = 0
  /** Numbers of the messages after which credit is wanted. */
  readonly #marks: number[] = []
  #arrived = 0
  #read = 0
  #told = 0
  #readers: Reader<T>[] = []
  #state: 'open' | 'ended' | 'failed' | 'left' = 'open'
  #error: unknown
  /** Called once, just before a reader learns of the end. */
  #beforeEnd: (() => void) | undefined

  constructor(source: IncomingSource) {
    this.#source = source
  }

  /** A message has arrived. */
  push(value: T, wantsCredit: boolean): void {
    this.#arrived += 1
    if (wantsCredit) this.#marks.push(this.#arrived)
    if (this.#state !== 'open') {
      // Nobody reads any more: what still comes is used up at once, so that the peer is not held back for ever.
      this.#used()
      return
    }
    const reader = this.#readers.shift()
    if (reader === undefined) {
      this.#queue.push(value)
      return
    }
    this.#used()
    reader.resolve({ done: false, value })
  }

  /**
   * All messages have arrived.
   * @param beforeEnd called when a reader gets there: what comes behind the messages is not to be seen before them.
   */
  end(beforeEnd?: () => void): void {
    if (this.#state !== 'open') return
    this.#state = 'ended'
    this.#beforeEnd = beforeEnd
    if (this.#readers.length > 0) this.#reachEnd()
    for (const reader of this.#takeReaders()) reader.resolve(done)
  }

  /** The stream has broken: what has arrived can still be read, then comes the error. */
  fail(error: unknown, beforeEnd?: () => void): void {
    if (this.#state !== 'open') return
    this.#state = 'failed'
    this.#error = error
    this.#beforeEnd = beforeEnd
    const readers = this.#takeReaders()
    if (readers.length > 0) {
      this.#state = 'ended'
      this.#reachEnd()
    }
    readers.forEach((reader, index) => {
      if (index === 0) reader.reject(error)
      else reader.resolve(done)
    })
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#head < this.#queue.length) {
      const value = this.#queue[this.#head]
      this.#head += 1
      if (this.#head === this.#queue.length) {
        this.#queue = []
        this.#head = 0
      }
      this.#used()
      return Promise.resolve({ done: false, value })
    }
    switch (this.#state) {
      case 'open':
        return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }))
      case 'failed': {
        // Told once; afterwards the stream is over, as that of a generator that threw.
        this.#state = 'ended'
        this.#reachEnd()
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- what a signal was aborted with
        return Promise.reject(this.#error)
      }
      default:
        this.#reachEnd()
        return Promise.resolve(done)
    }
  }

  /** The reader leaves early, with `break` or an exception. */
  return(): Promise<IteratorResult<T, undefined>> {
    const wasOpen = this.#state === 'open'
    this.#state = 'left'
    const unread = this.#queue.length - this.#head
    this.#queue = []
    this.#head = 0
    for (let n = 0; n < unread; n += 1) this.#used()
    for (const reader of this.#takeReaders()) reader.resolve(done)
    if (wasOpen) this.#source.left()
    return Promise.resolve(done)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #takeReaders(): Reader<T>[] {
    const readers = this.#readers
    this.#readers = []
    return readers
  }

  #reachEnd(): void {
    const before = this.#beforeEnd
    this.#beforeEnd = undefined
    before?.()
  }

  #used(): void {
    this.#read += 1
    if (this.#marks.length === 0 || this.#marks[0] > this.#read) return
    this.#marks.shift()
    this.#source.used(this.#read - this.#told)
    this.#told = this.#read
  }
}
