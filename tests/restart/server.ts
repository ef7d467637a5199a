/** Server processes that hand over to each other. */
import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { start, type Running } from '../isolates/processes.js'

/** A path that nobody uses. */
export const freshPath = (): string => join(tmpdir(), `volo-restart-${randomUUID().slice(0, 13)}`)

/** A program of this folder. */
export const programOf = (name: string): URL => new URL(`./programs/${name}.js`, import.meta.url)

export interface StartOptions {
  readonly grace?: string
  /** How many, instead of one server. */
  readonly isolates?: number
  readonly startTimeout?: string
  readonly env?: Readonly<Record<string, string>>
}

/**
 * Starts a server in a process of its own and waits until it serves.
 * @throws Error with what it printed if it ends instead.
 */
export async function startServer(address: string, path: string, options: StartOptions = {}): Promise<Running> {
  const { grace, isolates, startTimeout, env } = options
  if (isolates === undefined) {
    return start(programOf('server'), [address, path, ...(grace === undefined ? [] : [grace])], env)
  }
  const more = startTimeout === undefined ? [] : [startTimeout]
  return start(programOf('isolates'), [address, path, String(isolates), ...more], env)
}
