/** What is written when nobody has said where to: one line on standard error, then the error with its stack. */

/**
 * Reports something an operator wants to know. Where standard error takes nothing more (a full disk, a pipe that nobody reads), it is
 * lost, and nothing else is.
 * @param level 1 a warning, 2 an error.
 */
export function reportEvent(level: number, text: string, error?: unknown): void {
  const line = `volo: ${text}`
  spareProcess(process.stderr)
  if (error !== undefined) console.error(line, error)
  else if (level >= 2) console.error(line)
  else console.warn(line)
}

const spared = new Set<NodeJS.WriteStream>()

/**
 * For this turn of the event loop, errors of a standard stream end no process. The console ignores them only where it writes once: of two
 * lines that fail in a row, the second is an uncaught error.
 */
export function spareProcess(stream: NodeJS.WriteStream): void {
  if (spared.has(stream)) return
  spared.add(stream)
  stream.on('error', ignore)
  setImmediate(() => {
    spared.delete(stream)
    stream.off('error', ignore)
  }).unref()
}

function ignore(): void {
  // There is no place left to tell it.
}
