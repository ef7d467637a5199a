import { reportEvent } from './report.js'

/** The signals that ask a program to end, with their numbers in POSIX. */
const signals = { SIGTERM: 15, SIGINT: 2 } as const

/**
 * Drains a server, or all of them, on SIGTERM or SIGINT; a second signal ends the process at once, as a shell reports a killed one.
 * @returns stops listening for signals.
 */
export function closeOnSignal(handle: { close(): Promise<unknown> }): () => void {
  let asked = false
  const onSignal = (signal: keyof typeof signals): void => {
    if (asked) process.exit(128 + signals[signal])
    asked = true
    handle.close().catch((error: unknown) => reportEvent(2, 'the servers could not be closed', error))
  }
  for (const signal of Object.keys(signals)) process.on(signal, onSignal)
  return () => {
    for (const signal of Object.keys(signals)) process.off(signal, onSignal)
  }
}
