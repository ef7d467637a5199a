/** Tools of cargo, built into the shared cache where the machine has none. */
import process from 'node:process'
import { join } from 'node:path'

import { mustBuild } from './build.mjs'
import { cached } from './cached.mjs'
import { which } from './process.mjs'

/** The versions that are built. */
const VERSIONS = { 'cargo-fuzz': '0.13.2', 'cargo-cyclonedx': '0.5.7' }

/**
 * The program of a tool: the machine's, or that of the pinned version.
 * @param {keyof typeof VERSIONS} name
 * @returns {Promise<string>}
 */
export async function cargoTool(name) {
  const tool = which(name)
  if (tool !== undefined) return tool
  const version = VERSIONS[name]
  const folder = await cached(`${name}-${version}-${process.arch}`, name, async (aside) => {
    const args = ['install', name, '--version', version, '--locked', '--root', aside]
    // It runs for seconds and builds for minutes: not optimised it is there sooner.
    await mustBuild({ command: 'cargo', args: [...args, '--debug'], env: { CARGO_PROFILE_DEV_DEBUG: 'false' } })
  })
  return join(folder, 'bin', name)
}
