/** What stands behind a Thrift message's body where it has headers: their text, and the time left. */
import { HEADERS } from '../core/tape/layout.js'
import type { InTape } from '../core/tape/reader.js'
import type { OutTape } from '../core/tape/writer.js'

/** The method as a message's header has it, if these headers go with it. */
export function headed(method: number, headers: string): number {
  return headers === '' ? method : method | HEADERS
}

/**
 * Ends a message that is {@link headed}; without headers there is nothing to add.
 * @param time milliseconds the caller waits, 0 for any.
 */
export function writeTail(out: OutTape, headers: string, time: number): void {
  if (headers === '') return
  const p = out.alloc(2)
  out.string(p, headers)
  out.f64[p + 1] = time
}

/** The headers of an answer that {@link InTape.begin} has chosen; none where it has none. */
export function readTail(tape: InTape, p: number): string {
  const { i32 } = tape
  return (i32[2 * p + 4] & HEADERS) === 0 ? '' : tape.string(p + i32[2 * p + 1] - 2)
}
