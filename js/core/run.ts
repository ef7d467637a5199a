import { constants } from 'node:os'

import { reportEvent } from './report.js'
import type { ServerHandle } from './server-handle.js'

const signals = ['SIGTERM', 'SIGINT'] as const

/**
 * Drains a server on SIGTERM or SIGINT; a second signal ends the process at once, as a shell reports a killed one.
 * @returns stops listening for signals.
 */
export function closeOnSignal(handle: ServerHandle): () => void {
  let asked = false
  const onSignal = (signal: (typeof signals)[number]): void => {
    if (asked) process.exit(128 + constants.signals[signal])
    asked = true
    handle.close().catch((error: unknown) => reportEvent(2, 'the server could not be closed', error))
  }
  for (const signal of signals) process.on(signal, onSignal)
  return () => {
    for (const signal of signals) process.off(signal, onSignal)
  }
}
