/** Servers and clients in the tests of others: Jest and Vitest run them, and end by themselves. */
import { copyFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'

import { nodeOf } from '../../scripts/lib/nodes.mjs'
import { runner } from '../../scripts/lib/runners.mjs'
import { projectCopy, runNode } from './installed.mjs'

const here = dirname(fileURLToPath(import.meta.url))

/**
 * A project with the runner's tests, twice: one process may run several files, each with modules of its own.
 * @param {import('ava').ExecutionContext<unknown>} t
 * @param {import('../../scripts/lib/runners.mjs').Runner} name
 */
async function project(t, name) {
  // Below the runner's folder, so that its node_modules are found.
  const installed = await runner(name)
  const folder = await projectCopy(t, installed)
  for (const file of readdirSync(join(here, name)).filter((file) => file.endsWith('.mjs'))) {
    copyFileSync(join(here, name, file), join(folder, file))
  }
  copyFileSync(join(here, name, 'items.test.mjs'), join(folder, 'again.test.mjs'))
  return { folder, modules: join(installed, 'node_modules') }
}

const NO_COLOURS = { NO_COLOR: '1', CI: '1' }

for (const [line, workers] of /** @type {const} */ ([
  [20, '--runInBand'],
  [20, '--maxWorkers=2'],
  [22, '--runInBand'],
  [24, '--runInBand'],
])) {
  test(`Jest ${workers} on Node ${line}`, async (t) => {
    const { folder, modules } = await project(t, 'jest')
    const args = ['--experimental-vm-modules', join(modules, 'jest', 'bin', 'jest.js'), workers]
    const { code, output } = await runNode(folder, args, { node: await nodeOf(line), env: NO_COLOURS })
    t.regex(output, /Tests: +6 passed, 6 total/)
    t.notRegex(output, /did not exit|open handle/)
    t.is(code, 0, output)
  })
}

for (const [line, pool] of /** @type {const} */ ([
  [20, 'forks'],
  [20, 'threads'],
  [20, 'vmThreads'],
  [22, 'forks'],
  [24, 'forks'],
])) {
  test(`Vitest with ${pool} on Node ${line}`, async (t) => {
    const { folder, modules } = await project(t, 'vitest')
    const args = [join(modules, 'vitest', 'vitest.mjs'), 'run', '--pool', pool]
    const { code, output } = await runNode(folder, args, { node: await nodeOf(line), env: NO_COLOURS })
    t.regex(output, /Tests +6 passed \(6\)/)
    t.notRegex(output, /close timed out|Unhandled/)
    t.is(code, 0, output)
  })
}
