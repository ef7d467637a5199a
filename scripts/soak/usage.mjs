/** What a process holds of the machine at one moment. */
import { readdirSync } from 'node:fs'
import process from 'node:process'

/**
 * @typedef {object} Usage
 * @property {number} rss resident memory, bytes
 * @property {number} heap what V8 has in use, bytes
 * @property {number} external memory of buffers, bytes
 * @property {number} descriptors
 * @property {number} threads
 */

/**
 * Behind a collection of garbage: V8 leaves some 64 MiB of dead buffers where they are before it looks for them, which would pass for a leak.
 * @returns {Usage} of this process
 */
export function usage() {
  globalThis.gc?.()
  const { rss, heapUsed, external } = process.memoryUsage()
  return {
    rss,
    heap: heapUsed,
    external,
    descriptors: readdirSync('/proc/self/fd').length - 1,
    threads: readdirSync('/proc/self/task').length,
  }
}

/**
 * Answers the parent's questions, one at a time.
 * @param {Record<string, () => unknown>} answers by question; what they return or promise is sent
 */
export function answering(answers) {
  process.on('message', (question) => {
    const answer = answers[String(question)]
    if (answer === undefined) throw new Error(`asked for ${String(question)}`)
    void Promise.resolve(answer()).then((value) => process.send?.(value))
  })
}
