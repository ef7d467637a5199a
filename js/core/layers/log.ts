import { ownContext } from '../call-context.js'
import type { Context } from '../context.js'
import { VoloError } from '../errors.js'
import { layerFn, type Layer } from '../layer.js'
import { spareProcess } from '../report.js'
import { isPromiseLike } from '../service.js'

/** One call, as {@link log} saw it. */
export interface LogEntry {
  readonly side: 'client' | 'server'
  /** Service and method as on the wire: `ItemService.GetItem`. */
  readonly method: string
  /** Address of the other end. */
  readonly peer: string
  /** Milliseconds spent in what the layer wraps. */
  readonly duration: number
  /** `OK`, the code of a VoloError, or the name of what was thrown. */
  readonly outcome: string
  /** What was thrown, if anything. */
  readonly error?: unknown
}

/** Options of {@link log}. */
export interface LogOptions {
  /** Takes one line. Default: `console.log`. */
  readonly sink?: (line: string) => void
  /** Makes the line. Default: time, side, method, peer, outcome, duration; coloured on a terminal unless NO_COLOR is set. */
  readonly format?: (entry: LogEntry) => string
}

/**
 * Logs one line a call, when it ends.
 *
 * @example
 * server.layerFront(log())
 * server.layerFront(log({ format: JSON.stringify, sink: (line) => file.write(line + '\n') }))
 */
export function log(options: LogOptions = {}): Layer {
  const sink = options.sink ?? print
  const format = options.format ?? (options.sink === undefined && colours() ? coloured : plain)
  const write = (cx: Context, peer: string, start: number, failed: boolean, error: unknown): void => {
    const entry: LogEntry = {
      side: cx.side,
      method: `${cx.method.service}.${cx.method.wireName}`,
      peer,
      duration: ownContext(cx).origin.clock.monotonic() - start,
      outcome: failed ? outcomeOf(error) : 'OK',
      ...(failed ? { error } : undefined),
    }
    sink(format(entry))
  }

  return layerFn('log', (cx, req, next) => {
    const start = ownContext(cx).origin.clock.monotonic()
    // Asked before the call: afterwards the connection may be gone.
    const peer = cx.peer.address
    let answer
    try {
      answer = next(cx, req)
    } catch (error) {
      write(cx, peer, start, true, error)
      throw error
    }
    if (!isPromiseLike(answer)) {
      write(cx, peer, start, false, undefined)
      return answer
    }
    return answer.then(
      (value) => {
        write(cx, peer, start, false, undefined)
        return value
      },
      (error: unknown) => {
        write(cx, peer, start, true, error)
        throw error
      },
    )
  })
}

function outcomeOf(error: unknown): string {
  if (VoloError.is(error)) return error.code
  return error instanceof Error ? error.name : typeof error
}

function plain(entry: LogEntry): string {
  const at = new Date().toISOString()
  return `${at} ${entry.side} ${entry.method} ${entry.peer} ${entry.outcome} ${entry.duration.toFixed(2)}ms`
}

function coloured(entry: LogEntry): string {
  const at = new Date().toISOString()
  const colour = entry.outcome === 'OK' ? 32 : 31
  return `\x1b[2m${at} ${entry.side}\x1b[0m ${entry.method} \x1b[2m${entry.peer}\x1b[0m \x1b[${colour}m${entry.outcome}\x1b[0m ${entry.duration.toFixed(2)}ms`
}

function colours(): boolean {
  return process.stdout.isTTY && (process.env.NO_COLOR ?? '') === ''
}

/** One line on standard output, or none where that takes nothing more. */
function print(line: string): void {
  spareProcess(process.stdout)
  console.log(line)
}
