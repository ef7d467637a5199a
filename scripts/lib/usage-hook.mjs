/**
 * Loaded into a server with `--import`: answers `usage` on the message channel with the CPU time the process has used (µs) and its memory
 * (bytes), so that a measurement needs nothing of the server itself and works on every platform.
 */
import process from 'node:process'

if (process.send !== undefined) {
  process.on('message', (question) => {
    if (question !== 'usage') return
    const { user, system } = process.cpuUsage()
    process.send?.({ cpu: user + system, rss: process.memoryUsage.rss() })
  })
  // The channel must not keep a drained server alive.
  process.channel?.unref()
}
