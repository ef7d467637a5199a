/** Stamps: a step that was done for the same sources is not done again. */
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'

import { buildCache, root } from './paths.mjs'

const SKIPPED = new Set(['node_modules', 'target', 'dist', 'volo-gen', '.git', 'artifacts'])

/**
 * Files under a path of the repository, sorted; the path itself if it is a file, nothing if it does not exist. What is compiled in place, beside
 * its source, is none of the repository's.
 * @param {string} path
 * @returns {string[]} absolute paths
 */
export function files(path) {
  const absolute = join(root, path)
  const stat = statSync(absolute, { throwIfNoEntry: false })
  if (stat === undefined) return []
  if (stat.isFile()) return [absolute]
  const entries = readdirSync(absolute, { withFileTypes: true })
  const names = new Set(entries.map((entry) => entry.name))
  const isCompiled = (/** @type {string} */ name) =>
    /\.js(\.map)?$/.test(name) && names.has(name.replace(/\.js(\.map)?$/, '.ts'))
  return entries
    .filter(({ name }) => !SKIPPED.has(name) && !isCompiled(name))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => files(join(path, entry.name)))
}

/**
 * Hash of names and contents.
 * @param {readonly string[]} paths of the repository: files and folders
 * @param {{ match?: RegExp, extra?: string }} [options] `match`: only files whose name fits
 * @returns {string}
 */
export function hashOf(paths, options = {}) {
  const hash = createHash('sha256').update(options.extra ?? '')
  for (const file of paths.flatMap(files)) {
    if (options.match !== undefined && !options.match.test(file)) continue
    hash.update(`${relative(root, file)}\0`).update(readFileSync(file))
  }
  return hash.digest('hex')
}

/** @param {string} name */
const stampFile = (name) => join(buildCache, 'stamps', name)

/**
 * What was noted for a step, or undefined.
 * @param {string} name
 */
export function readStamp(name) {
  const file = stampFile(name)
  return statSync(file, { throwIfNoEntry: false }) === undefined ? undefined : readFileSync(file, 'utf8')
}

/**
 * Notes that a step is done.
 * @param {string} name
 * @param {string} value
 */
export function writeStamp(name, value) {
  mkdirSync(join(buildCache, 'stamps'), { recursive: true })
  writeFileSync(stampFile(name), value)
}

/**
 * Forgets a step, before it is done anew: an interrupted one must not pass for done.
 * @param {string} name
 */
export function clearStamp(name) {
  rmSync(stampFile(name), { force: true })
}
