/** What Debian and Ubuntu have, installed where it is missing. */
import process from 'node:process'

import { Failure, must, which } from './process.mjs'

/**
 * A command, run as root.
 * @param {readonly string[]} words
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {import('./process.mjs').Command}
 */
export function asRoot(words, env = {}) {
  const [command, ...args] = process.getuid?.() === 0 ? words : ['sudo', '-n', ...words]
  return { command, args, env }
}

/**
 * Installs a program with apt-get where it is missing.
 * @param {string} program
 * @param {readonly string[]} packages that hold it
 * @param {string} advice what to do where that fails
 */
export async function aptInstall(program, packages, advice) {
  if (which(program) !== undefined) return
  if (process.platform !== 'linux' || which('apt-get') === undefined) {
    throw new Failure(`${program} is missing and there is no apt-get. ${advice}`)
  }
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', ...packages]]) {
    // Another installation may be under way.
    const apt = ['apt-get', '-o', 'DPkg::Lock::Timeout=120', '-q', ...args]
    try {
      await must(asRoot(apt, { DEBIAN_FRONTEND: 'noninteractive' }))
    } catch (error) {
      const output = error instanceof Failure ? `${error.output}\n${error.message}` : String(error)
      throw new Failure(`${program} is missing and apt-get ${args[0]} failed. ${advice}`, { output, cause: error })
    }
  }
}
