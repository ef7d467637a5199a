/** The scripts of a release. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { tmpdir } from 'node:os'
import process from 'node:process'
import test from 'ava'

import { root } from '../../scripts/lib/paths.mjs'
import { run } from '../../scripts/lib/process.mjs'
import { bareNpm, preparedTarballs } from './installed.mjs'
import { serveRegistry } from './registry.mjs'

/** @param {import('ava').ExecutionContext<unknown>} t */
function emptyFolder(t) {
  const folder = mkdtempSync(join(tmpdir(), 'volo-js-release-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/**
 * @param {string} name
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 */
function script(name, args, env = {}) {
  return run({ command: process.execPath, args: [join(root, 'scripts', 'release', `${name}.mjs`), ...args], env })
}

test('the tarballs are tried where nothing else is installed', async (t) => {
  const tarballs = await preparedTarballs()
  // The other platforms' packages are nowhere: as optional dependencies they may be missing.
  const registry = await serveRegistry(tarballs.filter(({ name }) => name === 'commander'))
  t.teardown(registry.close)
  const { env } = bareNpm([])
  const options = { ...env, PATH: process.env.PATH, npm_config_registry: registry.url }
  const { code, output } = await script('try', [dirname(tarballs[0].file)], options)
  t.is(code, 0, output)
  t.regex(output, /^volo-js answered 100 calls on \S+, Node \d/m)
})

test('publishing passes over what is there already, and ends with volo-js', async (t) => {
  const tarballs = await preparedTarballs()
  const own = tarballs.filter(({ name }) => name.startsWith('volo-js'))
  t.is(own.at(-1)?.name, 'volo-js')
  const registry = await serveRegistry(own.slice(0, -1))
  t.teardown(registry.close)
  const { code, output } = await script('publish', [
    ...own.map(({ file }) => file),
    '--',
    `--registry=${registry.url}`,
    `--${registry.url.replace('http:', '')}:_authToken=none`,
  ])
  t.is(code, 0, output)
  const lines = own.map(
    ({ name, version }) => `${name} ${version} ${name === 'volo-js' ? 'published' : 'is published already'}\n`,
  )
  t.is(output, lines.join(''))
  t.deepEqual(registry.published, ['volo-js'])
})

test('the workflow builds every target', (t) => {
  const workflow = readFileSync(join(root, '.github', 'workflows', 'packages.yml'), 'utf8')
  const built = [...workflow.matchAll(/target: ([\w-]+),/g)].map(([, target]) => target)
  const { napi } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  t.deepEqual(built.sort(), napi.targets.sort())
})

test('a release is not whole without every platform', async (t) => {
  const { code, output } = await script('packages', ['--out', emptyFolder(t), '--binaries', emptyFolder(t)])
  t.is(code, 1)
  t.regex(output, /volo-js\.\S+\.node is missing: every platform/)
})

test('notes of a version that is not set are refused', async (t) => {
  const { code, output } = await script('notes', ['v99.0.0'])
  t.is(code, 1)
  t.regex(output, /package\.json has version .*, not 99\.0\.0/)
})

test('the bills of materials name what is in the packages, and no folder of this machine', async (t) => {
  const folder = emptyFolder(t)
  const { code, output } = await script('sbom', ['--out', folder])
  t.is(code, 0, output)
  const read = (/** @type {string} */ name) => {
    const text = readFileSync(join(folder, name), 'utf8')
    t.false(text.includes(root) || text.includes(tmpdir()), name)
    return JSON.parse(text)
  }
  const names = (/** @type {{ components: { name: string }[] }} */ bom) => bom.components.map(({ name }) => name)
  const npm = read('npm.cdx.json')
  t.is(npm.metadata.component.name, 'volo-js')
  t.deepEqual(names(npm), ['commander'])
  const rust = read('rust.cdx.json')
  t.is(rust.metadata.component.name, 'volo-js')
  t.deepEqual(
    ['napi', 'pilota', 'volo-js-tape'].filter((name) => !names(rust).includes(name)),
    [],
  )
  t.false(names(rust).includes('proptest'), 'only tests use it')
})
