/** Roots of bare Debian systems, without compilers and without anything of this machine: what a small container has. Made by debootstrap. */
import { join } from 'node:path'
import process from 'node:process'

import { cached } from './cached.mjs'
import { Failure, must, which } from './process.mjs'

/**
 * Releases and why: `bookworm` has glibc 2.36, which everything runs on; `bullseye` has 2.31, which runs Node but no binary that was built on a
 * newer system.
 * @typedef {'bookworm' | 'bullseye'} Release
 */

/** @type {readonly Release[]} */
export const RELEASES = ['bookworm', 'bullseye']

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

/** @type {Promise<void> | undefined} */
let installing

/**
 * The folder of a root.
 * @param {Release} release
 * @returns {Promise<string>}
 */
export async function debianRoot(release) {
  const folder = await cached(
    `roots/${release}-${process.arch}-1`,
    `Debian ${release} without compilers`,
    async (aside) => {
      await (installing ??= installDebootstrap())
      const system = join(aside, 'system')
      try {
        await must(asRoot(['debootstrap', '--variant=minbase', release, system]))
        // The packages it was made of.
        await must(asRoot(['rm', '-rf', join(system, 'var/cache/apt')]))
      } catch (error) {
        await removeInside(system)
        throw error
      }
    },
  )
  return join(folder, 'system')
}

/** Installs debootstrap where it is missing, as Debian and Ubuntu have it. */
async function installDebootstrap() {
  if (which('debootstrap') !== undefined) return
  const advice = 'Install debootstrap and debian-archive-keyring (Debian and Ubuntu have them) and try again.'
  if (process.platform !== 'linux' || which('apt-get') === undefined) {
    throw new Failure(`A bare root is made with debootstrap, and there is no apt-get to install it. ${advice}`)
  }
  for (const args of [
    ['update'],
    ['install', '-y', '--no-install-recommends', 'debootstrap', 'debian-archive-keyring'],
  ]) {
    const apt = ['apt-get', '-o', 'DPkg::Lock::Timeout=120', '-q', ...args]
    try {
      await must(asRoot(apt, { DEBIAN_FRONTEND: 'noninteractive' }))
    } catch (error) {
      const output = error instanceof Failure ? `${error.output}\n${error.message}` : String(error)
      throw new Failure(`debootstrap is missing and apt-get ${args[0]} failed. ${advice}`, { output, cause: error })
    }
  }
}

/**
 * Runs a command inside a root, with nothing of this process's environment.
 * @param {string} system the root's folder
 * @param {readonly string[]} command
 * @param {{ cwd?: string, env?: Record<string, string> }} [options] `cwd` inside the root
 * @returns {import('./process.mjs').Command}
 */
export function inside(system, command, options = {}) {
  const variables = { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: '/root', ...options.env }
  const assignments = Object.entries(variables).map(([name, value]) => `${name}=${value}`)
  const shell = ['/bin/sh', '-c', 'cd "$0" && exec "$@"', options.cwd ?? '/', ...command]
  return asRoot(['chroot', system, '/usr/bin/env', '-i', ...assignments, ...shell])
}

/**
 * Removes a folder inside a root, whoever its files belong to.
 * @param {string} folder
 */
export async function removeInside(folder) {
  await must(asRoot(['rm', '-rf', folder]))
}
