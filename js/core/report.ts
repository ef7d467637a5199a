/** What is written when nobody has said where to: one line on standard error, then the error with its stack. */

/**
 * Reports something an operator wants to know.
 * @param level 1 a warning, 2 an error.
 */
export function reportEvent(level: number, text: string, error?: unknown): void {
  const line = `volo: ${text}`
  if (error !== undefined) console.error(line, error)
  else if (level >= 2) console.error(line)
  else console.warn(line)
}
