/** The versions of Node that everything must run on: this process's own, and the others as npm carries them. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'

import { cached } from './cached.mjs'
import { Failure, must, npm } from './process.mjs'

/** Exact versions, one a release line. */
export const NODES = { 20: '20.20.2', 22: '22.23.3', 24: '24.21.0' }

/** @typedef {keyof typeof NODES} Line */

/** All lines, oldest first. */
export const LINES = /** @type {Line[]} */ (Object.keys(NODES).map(Number))

/**
 * A binary of a release line: the one that runs this script where it is of that line.
 * @param {Line} line
 * @returns {Promise<string>} its path
 */
export async function nodeOf(line) {
  if (Number(process.versions.node.split('.')[0]) === line) return process.execPath
  const { platform, arch } = process
  if (!['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64'].includes(`${platform}-${arch}`)) {
    throw new Failure(`npm carries no Node for ${platform}-${arch}: run the tests with Node ${line} itself.`)
  }
  const name = `node-${platform}-${arch}`
  const folder = await cached(`nodes/${name}-${NODES[line]}`, `Node ${NODES[line]}`, async (aside) => {
    writeFileSync(join(aside, 'package.json'), '{ "private": true }')
    mkdirSync(join(aside, 'node_modules'))
    await must({ ...npm(['install', '--ignore-scripts', '--no-save', `${name}@${NODES[line]}`]), cwd: aside })
  })
  return join(folder, 'node_modules', name, 'bin', 'node')
}
