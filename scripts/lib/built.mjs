/** Modules that the build makes. */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

import { root } from './paths.mjs'

/**
 * Imports a built module. The type checker does not follow: it also runs where nothing is built.
 * @param {string} path in the repository
 */
export const built = (path) => import(pathToFileURL(join(root, path)).href)
