/** Other test runners, to see that servers and clients live well in them: installed from lock files, in the shared cache. */
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'

import { cached } from './cached.mjs'
import { root } from './paths.mjs'
import { must, npm } from './process.mjs'
import { hashOf } from './stamp.mjs'

/** @typedef {'jest' | 'vitest'} Runner */

/** @type {readonly Runner[]} */
export const RUNNERS = ['jest', 'vitest']

/**
 * The folder whose `node_modules` holds a runner.
 * @param {Runner} name
 * @returns {Promise<string>}
 */
export function runner(name) {
  const sources = ['package.json', 'package-lock.json', '.npmrc'].map((file) => `tests/packages/${name}/${file}`)
  return cached(`runners/${name}-${hashOf(sources).slice(0, 16)}`, name, async (aside) => {
    for (const source of sources) copyFileSync(join(root, source), join(aside, source.split('/').at(-1) ?? ''))
    await must({ ...npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund']), cwd: aside })
  })
}
