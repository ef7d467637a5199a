/** What is published, packed and installed: packages of this checkout, and a project that got them from a registry without a compiler at hand. */
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import process from 'node:process'

import { packFolder, packPackages } from '../../scripts/lib/packages.mjs'
import { addonFile, buildCache, root } from '../../scripts/lib/paths.mjs'
import { Failure, must, run, which } from '../../scripts/lib/process.mjs'
import { layProject } from '../../scripts/lib/project.mjs'
import { files } from '../../scripts/lib/stamp.mjs'
import { serveRegistry } from './registry.mjs'

/** @typedef {import('../../scripts/lib/process.mjs').Command} Command */

/** Milliseconds that one program may take. */
const PATIENCE = 50_000

/** Hash of what the packages are made of. The addon is large: its time and size stand for it. */
function state() {
  const hash = createHash('sha256')
  for (const file of [
    ...distFiles(),
    ...files('tests/packages/project'),
    ...files('package.json'),
    ...files(addonFile()),
  ]) {
    const { mtimeMs, size } = statSync(file)
    hash.update(`${file} ${mtimeMs} ${size}\n`)
  }
  return hash.digest('hex').slice(0, 16)
}

/** What the compiler and the bundler wrote. */
const distFiles = () => readdirSync(join(root, 'dist')).flatMap((name) => files(join('dist', name)))

function cache() {
  const folder = join(buildCache, 'packages-test')
  mkdirSync(folder, { recursive: true })
  return folder
}

/** @typedef {{ tarballs: readonly import('../../scripts/lib/packages.mjs').Packed[], project: string }} Made */

/** @type {Promise<Made> | undefined} */
let made

/** Packages and project, made once for every state of the checkout. */
function prepared() {
  return (made ??= prepare())
}

/** @returns {Promise<Made>} */
async function prepare() {
  const folder = join(cache(), `made-${state()}`)
  if (!existsSync(folder)) {
    sweep()
    const aside = mkdtempSync(join(cache(), 'making-'))
    try {
      const tarballs = await pack(join(aside, 'tarballs'))
      await installInto(join(aside, 'project'), tarballs)
      const named = tarballs.map((one) => ({ ...one, file: join(folder, 'tarballs', basename(one.file)) }))
      writeFileSync(join(aside, 'tarballs.json'), JSON.stringify(named))
      if (!existsSync(folder)) renameSync(aside, folder)
    } finally {
      rmSync(aside, { recursive: true, force: true })
    }
  }
  const tarballs = JSON.parse(readFileSync(join(folder, 'tarballs.json'), 'utf8'))
  return { tarballs, project: join(folder, 'project') }
}

/** Removes what earlier runs have left; not what is of the last minutes, another process may be at it. */
function sweep() {
  for (const old of readdirSync(cache()).filter((name) => /^(made|making|copy)-/.test(name))) {
    const { mtimeMs } = statSync(join(cache(), old))
    if (Date.now() - mtimeMs > 600_000) rmSync(join(cache(), old), { recursive: true, force: true })
  }
}

/**
 * Tarballs of this checkout's packages and of what they depend on.
 * @param {string} folder
 */
async function pack(folder) {
  const own = await packPackages({ out: folder, binaries: root, platforms: 'present' })
  return [...own, await packFolder(join(root, 'node_modules', 'commander'), folder)]
}

/**
 * @param {string} folder
 * @param {Made['tarballs']} tarballs
 */
async function installInto(folder, tarballs) {
  mkdirSync(folder)
  layProject(folder)
  const registry = await serveRegistry(tarballs)
  try {
    await must({ ...bareNpm(install(registry.url)), cwd: folder })
  } finally {
    registry.close()
  }
  await must({ ...bareNpm(['exec', '--', 'volo', 'build', 'item.thrift']), cwd: folder })
}

/** A project with volo-js installed and its code generated. Never write to it: {@link projectCopy}. */
export async function installedProject() {
  return (await prepared()).project
}

/** Tarballs of this checkout's packages, `volo-js` after those of the platforms, and of what they depend on. */
export async function preparedTarballs() {
  return (await prepared()).tarballs
}

/**
 * A registry with this checkout's packages, closed at the end of the test.
 * @param {import('ava').ExecutionContext<unknown>} t
 * @returns {Promise<string>} its URL
 */
export async function registryOf(t) {
  const registry = await serveRegistry((await prepared()).tarballs)
  t.teardown(registry.close)
  return registry.url
}

/**
 * Arguments of npm that install volo-js from a registry.
 * @param {string} url
 * @param {readonly string[]} [more]
 */
export function install(url, more = []) {
  return ['install', 'volo-js', '--ignore-scripts', '--no-audit', '--no-fund', `--registry=${url}`, ...more]
}

/**
 * A copy of the installed project, removed at the end of the test.
 * @param {import('ava').ExecutionContext<unknown>} t
 * @param {string} [under] folder to put it in; default beside the original
 */
export async function projectCopy(t, under = cache()) {
  const project = await installedProject()
  const folder = mkdtempSync(join(under, 'copy-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  cpSync(project, folder, { recursive: true })
  return folder
}

/** A folder of programs with nothing but Node and a shell: no compiler, no Rust, no Python. */
function barePath() {
  const folder = join(cache(), 'bin')
  if (!existsSync(folder)) {
    const aside = mkdtempSync(`${folder}-`)
    symlinkSync(process.execPath, join(aside, 'node'))
    symlinkSync('/bin/sh', join(aside, 'sh'))
    if (!existsSync(folder)) renameSync(aside, folder)
  }
  return folder
}

/** The folder of the npm that is on this machine. */
export function npmFolder() {
  const named = process.env.npm_execpath
  const cli = named?.endsWith('npm-cli.js') ? named : which('npm')
  if (cli === undefined) throw new Failure('npm is missing. Install Node 20.19 or newer with npm and try again.')
  return dirname(dirname(realpathSync(cli)))
}

/**
 * npm, with {@link barePath} and a cache of its own, so that nothing of this machine helps.
 * @param {readonly string[]} args
 * @returns {Command}
 */
export function bareNpm(args) {
  const cli = join(npmFolder(), 'bin', 'npm-cli.js')
  return {
    command: process.execPath,
    args: [cli, ...args],
    env: bareEnvironment({ npm_config_cache: join(cache(), 'npm-cache') }),
  }
}

/**
 * @param {NodeJS.ProcessEnv} [more]
 * @returns {NodeJS.ProcessEnv}
 */
export function bareEnvironment(more = {}) {
  // What npm and AVA set for their children is not for the children of these tests.
  const inherited = Object.keys(process.env).filter((name) => /^(npm_|NODE_|VOLO_|CARGO|RUST|AVA)/i.test(name))
  return { ...Object.fromEntries(inherited.map((name) => [name, undefined])), PATH: barePath(), ...more }
}

/**
 * Runs Node in a project.
 * @param {string} folder
 * @param {readonly string[]} args
 * @param {{ node?: string, env?: NodeJS.ProcessEnv }} [options]
 */
export function runNode(folder, args, { node = process.execPath, env = {} } = {}) {
  return run({ command: node, args, cwd: folder, env: bareEnvironment(env) }, { timeout: PATIENCE })
}
