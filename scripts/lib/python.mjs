/** Python with packages of PyPI. */
import { join } from 'node:path'

import { root } from './paths.mjs'
import { Failure, must, which } from './process.mjs'

/**
 * A virtual environment with packages of PyPI, as `venv`.
 * @param {string} folder
 * @param {string} requirements path of the repository
 */
export async function venv(folder, requirements) {
  if (which('python3') === undefined)
    throw new Failure('python3 is missing. Install Python 3.9 or newer and try again.')
  await must({ command: 'python3', args: ['-m', 'venv', join(folder, 'venv')] })
  await must({
    command: join(folder, 'venv', 'bin', 'python'),
    args: ['-m', 'pip', 'install', '-q', '-r', join(root, requirements)],
  })
}
