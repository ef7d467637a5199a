/** What a process holds of the machine at one moment. */
import { readdirSync } from 'node:fs'
import process from 'node:process'

/**
 * @typedef {object} Usage
 * @property {number} rss resident memory, bytes
 * @property {number} heap what V8 has in use, bytes; garbage included
 * @property {number} external memory of buffers, bytes
 * @property {number} descriptors
 * @property {number} threads
 */

/** @returns {Usage} of this process */
export function usage() {
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
