/**
 * What a fresh clone needs before anything runs, as steps. A step whose sources have not changed since it was done is skipped.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'

import { mustBuild } from './build.mjs'
import { addonFile, buildCache, root } from './paths.mjs'
import { bin, Failure, must, napi, npm, which } from './process.mjs'
import { clearStamp, hashOf, readStamp, writeStamp } from './stamp.mjs'
import { dim, green, time } from './terminal.mjs'

/** @typedef {'release' | 'fast'} Profile */

/**
 * @typedef {object} Step
 * @property {string} name
 * @property {string} title what it does, for the terminal
 * @property {readonly string[]} needs names of steps that come first
 * @property {(context: Context) => boolean} isDone
 * @property {(context: Context) => Promise<string | void>} run comes back with a remark, where there is one
 */

/**
 * @typedef {object} Context
 * @property {Profile} profile Cargo profile of the addon
 * @property {boolean} stream let the tools write to this terminal
 */

/** @typedef {(step: Step, event: 'skipped' | 'started' | 'done', ms: number, remark: string) => void} Report */

/** IDL of examples and tests, and the folder its code goes to. Generated code is not committed. */
const GENERATED = [
  { idl: 'examples/item.thrift', out: 'examples/volo-gen' },
  { idl: 'tests/fixtures/everything.thrift', out: 'tests/volo-gen' },
  { idl: 'tests/fixtures/estate.thrift', out: 'tests/volo-gen/estate' },
  { idl: 'examples/item.proto', out: 'examples/volo-gen/grpc' },
  { idl: 'tests/fixtures/grpc/test.proto', out: 'tests/volo-gen/grpc' },
]

const ADDON_SOURCES = ['Cargo.toml', 'Cargo.lock', 'build.rs', 'bindings', 'crates']
const PACKAGE_SOURCES = ['js', 'package.json', 'package-lock.json', 'tsconfig.json']

const lockHash = () => hashOf(['package-lock.json'])
const addonHash = () => hashOf(ADDON_SOURCES, { match: /\.(rs|toml|lock)$/ })
const packageHash = () => hashOf(PACKAGE_SOURCES, { match: /\.(ts|json)$/ })
const generatedHash = () =>
  hashOf(
    GENERATED.flatMap(({ idl, out }) => [idl, join(out, '..')]),
    {
      match: /\.(thrift|proto|ts)$/,
      extra: `${packageHash()}${hashOf(['crates/schema', 'tsconfig.tests.json'])}`,
    },
  )

/** @type {Step} */
const dependencies = {
  name: 'dependencies',
  title: 'npm ci',
  needs: [],
  isDone() {
    const installed = statSync(join(root, 'node_modules', '.package-lock.json'), { throwIfNoEntry: false })
    if (installed === undefined) return false
    const stamp = readStamp('dependencies')
    // Without a stamp somebody ran npm by hand: then the newer file tells.
    if (stamp === undefined) return installed.mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs
    return stamp === lockHash()
  },
  async run({ stream }) {
    await must(npm(['ci', '--no-fund', '--no-audit', '--loglevel=error']), { stream })
    writeStamp('dependencies', lockHash())
  },
}

/** @type {Step} */
const addon = {
  name: 'addon',
  title: 'Rust addon',
  needs: ['dependencies'],
  isDone({ profile }) {
    if (process.env.VOLO_ADDON) return true
    if (!existsSync(join(root, addonFile()))) return false
    const hash = addonHash()
    // A release build serves where the fast one would.
    return [profile, 'release'].some((built) => readStamp('addon') === `${built} ${hash}`)
  },
  async run({ profile, stream }) {
    if (which('cargo') === undefined) {
      throw new Failure(
        'cargo is missing: the addon is Rust. Install Rust 1.88 or newer (https://rustup.rs) and try again.',
      )
    }
    const hash = addonHash()
    clearStamp('addon')
    const out = join(buildCache, 'addon')
    mkdirSync(out, { recursive: true })
    const args = ['build', '--platform', '--profile', profile, '--no-js', '--output-dir', out]
    const { remark } = await mustBuild(napi(args), { stream })
    // Renamed into place: a process that has the old file mapped keeps it.
    renameSync(join(out, addonFile()), join(root, addonFile()))
    writeStamp('addon', `${profile} ${hash}`)
    return remark
  },
}

/** @type {Step} */
const typescript = {
  name: 'typescript',
  title: 'TypeScript',
  needs: ['dependencies'],
  isDone: () => existsSync(join(root, 'dist', 'bundle', 'index.js')) && readStamp('typescript') === packageHash(),
  async run({ stream }) {
    const hash = packageHash()
    clearStamp('typescript')
    if (!existsSync(join(root, 'dist', 'index.js'))) rmSync(join(buildCache, 'package.tsbuildinfo'), { force: true })
    pruneOutput()
    await must(bin('tsc', ['-p', 'tsconfig.json']), { stream })
    await must(bin('esbuild', BUNDLE), { stream })
    writeStamp('typescript', hash)
  },
}

/**
 * What users import, in a few files instead of fifty: every module takes Node half a millisecond to load. Tests and the command line use the
 * modules as the compiler wrote them.
 */
const BUNDLE = [
  ...[
    'index',
    'thrift/index',
    'grpc/index',
    'protobuf/index',
    'protobuf-es/index',
    'testing/index',
    'core/generated',
    'build/index',
  ].map((entry) => `./dist/${entry}.js`),
  '--bundle',
  '--splitting',
  '--format=esm',
  '--platform=node',
  '--target=node20',
  '--packages=external',
  '--outbase=dist',
  '--outdir=dist/bundle',
  '--chunk-names=chunk-[hash]',
  '--log-level=warning',
]

/** Removes compiled files whose source is gone, so that no deleted test runs and none is packed. */
function pruneOutput() {
  const dist = join(root, 'dist')
  if (!existsSync(dist)) return
  for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const file = join(entry.parentPath, entry.name)
    const source = file.replace(dist, join(root, 'js')).replace(/(\.d\.ts|\.js)(\.map)?$/, '.ts')
    if (!existsSync(source)) rmSync(file)
  }
}

/** @type {Step} */
const generated = {
  name: 'generated',
  title: 'code of examples and tests',
  needs: ['addon', 'typescript'],
  isDone: () =>
    GENERATED.every(({ idl, out }) => !existsSync(join(root, idl)) || existsSync(join(root, out, 'index.js'))) &&
    readStamp('generated') === generatedHash(),
  async run({ stream }) {
    const hash = generatedHash()
    clearStamp('generated')
    const cli = join(root, 'dist', 'cli', 'main.js')
    for (const { idl, out } of GENERATED) {
      if (!existsSync(join(root, idl))) continue
      await must({ command: process.execPath, args: [cli, 'build', idl, '--out', out] })
    }
    if (hasTests()) await must(bin('tsc', ['-p', 'tsconfig.tests.json']), { stream })
    writeStamp('generated', hash)
  },
}

/** tsc fails without input, and a checkout may be cut down to the package. */
function hasTests() {
  const config = readFileSync(join(root, 'tsconfig.tests.json'), 'utf8')
  return ['examples', 'tests'].some(
    (folder) =>
      config.includes(folder) &&
      existsSync(join(root, folder)) &&
      readdirSync(join(root, folder)).some((name) => name.endsWith('.ts')),
  )
}

/** All steps, in an order that satisfies their needs. */
export const steps = [dependencies, addon, typescript, generated]

/**
 * Does what is not done yet; steps that do not need each other run side by side.
 * @param {object} options
 * @param {Profile} options.profile
 * @param {readonly string[]} [options.only] names of steps; default all
 * @param {boolean} [options.stream] default true
 * @param {Report} [options.report]
 */
export async function setup(options) {
  const context = { profile: options.profile, stream: options.stream ?? true }
  const wanted = steps.filter((step) => options.only === undefined || options.only.includes(step.name))
  /** @type {Map<string, Promise<void>>} */
  const running = new Map()
  for (const step of wanted) {
    const earlier = Promise.all(step.needs.map((name) => running.get(name)))
    running.set(
      step.name,
      earlier.then(() => perform(step, context, options.report)),
    )
  }
  const results = await Promise.allSettled(running.values())
  // Every step comes to its end first: a failure must not leave a compiler behind that still writes.
  const failed = results.find((result) => result.status === 'rejected')
  if (failed !== undefined) throw /** @type {PromiseRejectedResult} */ (failed).reason
}

/**
 * @param {Step} step
 * @param {Context} context
 * @param {Report | undefined} report
 */
async function perform(step, context, report) {
  if (step.isDone(context)) {
    report?.(step, 'skipped', 0, '')
    return
  }
  report?.(step, 'started', 0, '')
  const start = performance.now()
  const remark = await step.run(context)
  report?.(step, 'done', performance.now() - start, remark ?? '')
}

/**
 * The same with a line a step on the terminal; nothing is printed for what is up to date.
 * @param {Profile} profile
 * @param {readonly string[]} [only]
 * @returns {Promise<number>} how many steps were done
 */
export async function setupWithLines(profile, only) {
  let done = 0
  await setup({
    profile,
    ...(only === undefined ? {} : { only }),
    report(step, event, ms) {
      if (event === 'started') process.stdout.write(`${dim('setup')} ${step.title} …\n`)
      if (event !== 'done') return
      done++
      process.stdout.write(`${dim('setup')} ${step.title} ${green('done')} ${dim(`in ${time(ms)}`)}\n`)
    },
  })
  return done
}
