/** Folders in the shared cache, made once: under a hash of what they are made of, so that checkouts share them and old ones are never taken for new. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import process from 'node:process'

import { sharedCache } from './paths.mjs'
import { dim, green, time } from './terminal.mjs'

/** What is being made or known to be there, so that nothing is made twice at once. */
const folders = /** @type {Map<string, Promise<string>>} */ (new Map())

/**
 * A folder of the shared cache.
 * @param {string} name path below the cache; ends with a version or a hash of the sources
 * @param {string} title what it holds, for the terminal
 * @param {(folder: string) => Promise<void>} make fills an empty folder; it is moved when whole
 * @returns {Promise<string>}
 */
export function cached(name, title, make) {
  let folder = folders.get(name)
  if (folder === undefined) {
    folder = ready(join(sharedCache, name), title, make)
    folders.set(name, folder)
  }
  return folder
}

/**
 * @param {string} folder
 * @param {string} title
 * @param {(folder: string) => Promise<void>} make
 */
async function ready(folder, title, make) {
  if (existsSync(folder)) return folder
  process.stderr.write(`… ${title}\n`)
  const start = performance.now()
  mkdirSync(dirname(folder), { recursive: true })
  sweep(dirname(folder))
  // Made aside and renamed when whole: an interrupted run leaves nothing that looks finished, and two at once do not mix.
  const aside = mkdtempSync(`${folder}.making-`)
  try {
    await make(aside)
    if (!existsSync(folder)) renameSync(aside, folder)
  } finally {
    rmSync(aside, { recursive: true, force: true })
  }
  process.stderr.write(`${green('✔')} ${title} ${dim(`(${time(performance.now() - start)})`)}\n`)
  return folder
}

/**
 * Removes what runs that were killed have left aside; a day is more than any of them takes.
 * @param {string} parent
 */
function sweep(parent) {
  for (const entry of readdirSync(parent)) {
    const file = join(parent, entry)
    const stat = entry.includes('.making-') ? statSync(file, { throwIfNoEntry: false }) : undefined
    if (stat !== undefined && Date.now() - stat.mtimeMs > 86_400_000) rmSync(file, { recursive: true, force: true })
  }
}
