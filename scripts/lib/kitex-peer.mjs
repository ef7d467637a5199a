/** How the peer in Go with Kitex is made: see scripts/peers.mjs. */
import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'

import { mustBuild } from './build.mjs'
import { needGo } from './go.mjs'
import { root } from './paths.mjs'

/** @typedef {import('./grpc-peers.mjs').Recipe} Recipe */
/** @typedef {'estate-server' | 'estate-client'} KitexProgram */

const OURS = 'tests/peers/kitex'
const ESTATE = 'tests/fixtures/estate.thrift'
const PROGRAMS = ['estate-server', 'estate-client']

/** @type {Recipe} */
export const kitexRecipe = {
  title: 'Kitex in Go',
  sources: [OURS, ESTATE, 'scripts/lib/kitex-peer.mjs'],
  make: kitex,
}

/**
 * The module is copied, for Kitex's own generator, at the version that go.mod pins, writes into it.
 * @param {string} folder
 */
async function kitex(folder) {
  needGo()
  const module = join(folder, 'module')
  cpSync(join(root, OURS), module, { recursive: true })
  const go = (/** @type {readonly string[]} */ ...args) => mustBuild({ command: 'go', args, cwd: module })
  await go('tool', 'kitex', '-module', 'kitex-peer', '-no-dependency-check', join(root, ESTATE))
  for (const program of PROGRAMS) await go('build', '-mod=readonly', '-o', join(folder, program), `./${program}`)
  rmSync(module, { recursive: true })
}
