/** Suites that are programs of their own: they print their rows as JSON. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'

import { root } from '../../../scripts/lib/paths.mjs'
import { Failure, must } from '../../../scripts/lib/process.mjs'

/**
 * Runs `bench/NAME/run.mjs --json`, whose last line is JSON with `rows`.
 * @param {string} name
 * @param {{ progress: (text: string) => void }} settings
 * @returns {Promise<import('../row.mjs').Row[]>}
 */
export async function programSuite(name, settings) {
  const program = join(root, 'bench', name, 'run.mjs')
  if (!existsSync(program)) throw new Failure(`${program} is missing.`)
  settings.progress(name)
  // Not held to a CPU here: such a program places what it starts itself.
  const { stdout } = await must({ command: process.execPath, args: [program, '--json'] })
  const lines = stdout.trimEnd().split('\n')
  /** @type {{ rows?: import('../row.mjs').Row[] }} */
  const { rows } = JSON.parse(lines[lines.length - 1])
  if (rows === undefined) throw new Failure(`${program} --json printed no rows.`)
  return rows
}
