/** Programs that esbuild has made one file of. */
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'

import { addonFile, platformSuffix } from '../../scripts/lib/paths.mjs'
import { bin, must } from '../../scripts/lib/process.mjs'
import { installedProject, projectCopy, runNode } from './installed.mjs'

/**
 * @param {string} project
 * @param {string} out
 * @param {readonly string[]} [more]
 */
async function bundle(project, out, more = []) {
  const args = [
    'smoke.mjs',
    '--bundle',
    '--platform=node',
    '--target=node20',
    '--log-level=warning',
    `--outfile=${out}`,
  ]
  const { output } = await must({ ...bin('esbuild', [...args, ...more]), cwd: project })
  return output
}

/** @param {import('ava').ExecutionContext<unknown>} t */
function emptyFolder(t) {
  const folder = mkdtempSync(join(tmpdir(), 'volo-js-bundle-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

test('packages external: the bundle finds volo-js in node_modules', async (t) => {
  const project = await projectCopy(t)
  await bundle(project, join(project, 'out', 'server.mjs'), ['--format=esm', '--packages=external'])
  t.is((await runNode(project, [join('out', 'server.mjs')])).output, 'answered 100\n')
})

test('everything in one file: the bundle finds the addon in node_modules above it', async (t) => {
  const project = await projectCopy(t)
  t.is(await bundle(project, join(project, 'out', 'deep', 'server.mjs'), ['--format=esm']), '')
  t.is((await runNode(project, [join('out', 'deep', 'server.mjs')])).output, 'answered 100\n')
})

for (const format of ['esm', 'cjs']) {
  test(`everything in one file (${format}) and the addon beside it, in an otherwise empty folder`, async (t) => {
    const project = await installedProject()
    const folder = emptyFolder(t)
    const file = `server.${format === 'esm' ? 'mjs' : 'cjs'}`
    await bundle(project, join(folder, file), [`--format=${format}`, '--minify'])
    const alone = await runNode(folder, [file])
    t.is(alone.code, 1)
    t.true(alone.output.includes(`${addonFile()} beside `), alone.output)
    copyFileSync(join(platformPackage(project), addonFile()), join(folder, addonFile()))
    t.deepEqual(readdirSync(folder).sort(), [file, addonFile()])
    t.is((await runNode(folder, [file])).output, 'answered 100\n')
  })
}

test('where only volo-js can see its platform package, as pnpm lays it, a bundle finds it through volo-js', async (t) => {
  const project = await projectCopy(t)
  const modules = join(project, 'node_modules')
  const name = platformPackage(project).slice(modules.length + 1)
  await bundle(project, join(project, 'server.mjs'), ['--format=esm'])
  // A folder of its own below volo-js is as invisible from the bundle as pnpm's store.
  await must({ command: 'mkdir', args: [join(modules, 'volo-js', 'node_modules')] })
  await must({ command: 'mv', args: [join(modules, name), join(modules, 'volo-js', 'node_modules', name)] })
  t.is((await runNode(project, ['server.mjs'])).output, 'answered 100\n')
})

/** @param {string} project */
function platformPackage(project) {
  return join(project, 'node_modules', `volo-js-${platformSuffix()}`)
}
