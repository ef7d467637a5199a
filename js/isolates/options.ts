import { availableParallelism } from 'node:os'
import type { ResourceLimits } from 'node:worker_threads'

import { milliseconds, type Duration } from '../core/duration.js'
import { VoloError } from '../core/errors.js'
import { reportEvent } from '../core/report.js'
import { handoverOf, type HandoverOptions } from '../core/server-options.js'

/** Options of `runIsolates`; every one has a default. */
export interface IsolatesOptions {
  /** How many isolates, one thread each. Default `'cores'`: as many as this process may use cores. */
  readonly count?: number | 'cores'
  /** What every isolate finds as `workerData` of `node:worker_threads`. It is cloned. */
  readonly workerData?: unknown
  /** Environment variables of the isolates. Default: a copy of this process's. */
  readonly env?: Readonly<Record<string, string>>
  /** Further arguments, as the isolates find them in `process.argv`. Default none. */
  readonly argv?: readonly string[]
  /** Options of Node for the isolates, those a worker may have. Default: this process's. */
  readonly execArgv?: readonly string[]
  /** Memory an isolate may take; one that takes more ends and is started again. Default: Node's own limits. */
  readonly resourceLimits?: ResourceLimits
  /** How long calls may go on when isolates are closed or replaced, unless `close` says otherwise. Default `'5s'`. */
  readonly grace?: Duration
  /** Time in which an isolate must listen. Default `'30s'`. */
  readonly startTimeout?: Duration
  /** How long to wait before an isolate that died is started again. */
  readonly restart?: RestartOptions
  /**
   * Hot restart: the path of a Unix socket where a new process of this program takes over from the one that runs, sockets and connections of
   * all isolates included. Default: no hand-over. See docs/restart.md.
   */
  readonly handover?: string | HandoverOptions
  /** Closes all isolates on SIGTERM and SIGINT; a second signal ends the process at once. Default true. */
  readonly signals?: boolean
  /** Told when isolates die, start again and are replaced. Default: deaths, waits and failures as a line each on standard error. */
  readonly onEvent?: (event: IsolateEvent) => void
}

/**
 * Waits between the restarts of one isolate. The first death is followed by a start at once; then the wait doubles from `min` to `max`,
 * each time shortened by up to a half at random, so that isolates that die together do not come back together.
 */
export interface RestartOptions {
  /** Default `'100ms'`. */
  readonly min?: Duration
  /** Default `'30s'`. */
  readonly max?: Duration
  /** An isolate that has listened for so long is sound: its next death counts as the first. Default `'10s'`. */
  readonly soundAfter?: Duration
}

/** Something that happened to an isolate. */
export interface IsolateEvent {
  /**
   * `listening`: it serves. `died`: it ended unasked. `waiting`: it will be started after a while. `replaced`: its successor serves.
   * `failed`: it, or its successor, did not come to listen.
   */
  readonly kind: 'listening' | 'died' | 'waiting' | 'replaced' | 'failed'
  readonly level: 'info' | 'warn' | 'error'
  /** Which one, from 0. */
  readonly isolate: number
  readonly text: string
  /** Why it died, or could not be started. */
  readonly error?: unknown
}

/** The options, checked, in milliseconds. */
export interface Settings {
  readonly count: number
  readonly options: IsolatesOptions
  readonly grace: number
  readonly handover: { readonly path: string; readonly grace: number } | undefined
  readonly startTimeout: number
  readonly restart: { readonly min: number; readonly max: number; readonly soundAfter: number }
  readonly onEvent: (event: IsolateEvent) => void
}

/** @throws VoloError INVALID_ARGUMENT for an option that makes no sense. */
export function settingsOf(options: IsolatesOptions): Settings {
  const count = options.count === undefined || options.count === 'cores' ? availableParallelism() : options.count
  if (!Number.isInteger(count) || count < 1 || count > 1024) {
    throw new VoloError('INVALID_ARGUMENT', `count is ${String(count)}; give a whole number from 1 to 1024, or 'cores'`)
  }
  const { min = '100ms', max = '30s', soundAfter = '10s' } = options.restart ?? {}
  return {
    count,
    options,
    grace: milliseconds(options.grace ?? '5s', 'grace'),
    handover: handoverOf(options.handover),
    startTimeout: milliseconds(options.startTimeout ?? '30s', 'startTimeout'),
    restart: {
      min: milliseconds(min, 'restart.min'),
      max: milliseconds(max, 'restart.max'),
      soundAfter: milliseconds(soundAfter, 'restart.soundAfter'),
    },
    onEvent: guarded(options.onEvent ?? toStandardError),
  }
}

function toStandardError(event: IsolateEvent): void {
  if (event.level !== 'info') reportEvent(event.level === 'error' ? 2 : 1, event.text, event.error)
}

/** The supervisor goes on, whatever its observer does. */
function guarded(onEvent: (event: IsolateEvent) => void): (event: IsolateEvent) => void {
  return (event) => {
    try {
      onEvent(event)
    } catch (error) {
      reportEvent(2, `onEvent itself failed on: ${event.text}`, error)
    }
  }
}
