/**
 * Loaded into a server with `--import`: answers `usage` on the message channel with the CPU time the process has used (µs), its memory (bytes)
 * and the time spent in pauses of the garbage collector (ms), so that a measurement needs nothing of the server itself.
 */
import { PerformanceObserver } from 'node:perf_hooks'
import process from 'node:process'

if (process.send !== undefined) {
  let pauses = 0
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) pauses += entry.duration
  })
  observer.observe({ entryTypes: ['gc'] })

  process.on('message', (question) => {
    if (question !== 'usage') return
    const { user, system } = process.cpuUsage()
    process.send?.({ cpu: user + system, rss: process.memoryUsage.rss(), pauses })
  })
  // The channel must not keep a drained server alive.
  process.channel?.unref()
}
