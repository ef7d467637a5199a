/** Roots of bare Debian systems, without compilers and without anything of this machine: what a small container has. Made by debootstrap. */
import { join } from 'node:path'
import process from 'node:process'

import { aptInstall, asRoot } from './apt.mjs'
import { cached } from './cached.mjs'
import { must } from './process.mjs'

/**
 * Releases and why: `bookworm` has glibc 2.36, which everything runs on; `bullseye` has 2.31, which runs Node but no binary that was built on a
 * newer system.
 * @typedef {'bookworm' | 'bullseye'} Release
 */

/** @type {readonly Release[]} */
export const RELEASES = ['bookworm', 'bullseye']

const ADVICE =
  'A bare root is made with debootstrap. Install it and debian-archive-keyring (Debian and Ubuntu have them) and try again.'

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
      await (installing ??= aptInstall('debootstrap', ['debootstrap', 'debian-archive-keyring'], ADVICE))
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
