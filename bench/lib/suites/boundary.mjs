/** Between JavaScript and Rust. */
import { join } from 'node:path'
import process from 'node:process'

import { root } from '../../../scripts/lib/paths.mjs'
import { must, pinned } from '../../../scripts/lib/process.mjs'
import { LOAD_CPU } from '../load.mjs'
import { alone } from '../row.mjs'

/**
 * @param {{ seconds: number, progress: (text: string) => void }} settings
 * @returns {Promise<import('../row.mjs').Row[]>}
 */
export async function boundary(settings) {
  settings.progress('boundary')
  const program = join(root, 'bench', 'lib', 'boundary-cases.mjs')
  const args = [program, '--seconds', `${settings.seconds}`]
  const { stdout } = await must(pinned(LOAD_CPU, { command: process.execPath, args }))
  /** @type {Record<string, number[]>} */
  const results = JSON.parse(stdout)
  return Object.entries(results).map(([name, samples]) => alone(name, 'ns', samples))
}
