import type { SendWindow } from './send-window.js'

/** Where the messages of an iterable go. */
export interface MessageSink {
  readonly window: SendWindow
  /** Nobody wants more. */
  readonly isOver: boolean
  /** @throws what the IDL says of a wrong message. */
  send(message: unknown): void
}

/** True for what `for await` takes. */
export function isIterable(value: unknown): value is AsyncIterable<unknown> | Iterable<unknown> {
  if (typeof value !== 'object' || value === null) return false
  return Symbol.asyncIterator in value || Symbol.iterator in value
}

/**
 * Sends every message of an iterable, no faster than they are taken. An iterable whose messages are not wanted any more is told so, as
 * `break` does.
 */
export async function pump(messages: AsyncIterable<unknown> | Iterable<unknown>, sink: MessageSink): Promise<void> {
  if (Symbol.asyncIterator in messages) {
    for await (const message of messages) {
      if (sink.isOver) return
      sink.send(message)
      if (!sink.window.isOpen) await sink.window.opened()
      if (sink.isOver) return
    }
    return
  }
  for (const message of messages) {
    sink.send(message)
    if (!sink.window.isOpen) await sink.window.opened()
    if (sink.isOver) return
  }
}
