/** A user's project, as small as one can be. */
import { copyFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { root } from './paths.mjs'

/**
 * Makes a project of an empty folder: an IDL and a program that serves it and calls itself. volo-js is still to be installed.
 * @param {string} folder
 */
export function layProject(folder) {
  writeFileSync(join(folder, 'package.json'), '{ "name": "project", "private": true, "type": "module" }\n')
  copyFileSync(join(root, 'examples', 'item.thrift'), join(folder, 'item.thrift'))
  const programs = join(root, 'tests', 'packages', 'project')
  for (const name of readdirSync(programs)) copyFileSync(join(programs, name), join(folder, name))
}
