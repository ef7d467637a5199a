#!/usr/bin/env node
/**
 * node scripts/peers.mjs [NAME...]
 *
 * Builds what the tests talk to and the benchmarks measure against; without names, all of it:
 *
 * - `load`: the load generator (bench/load), `raw`: the bare epoll loop (bench/raw)
 * - `volo`: Volo in Rust (tests/peers/volo); minutes the first time
 * - `python`: Apache Thrift for Python (tests/peers/python)
 * - `node-thrift`: npm's thrift (tests/peers/node-thrift)
 *
 * Results are kept outside the repository, in `VOLO_CACHE` or `~/.cache/volo-js`, under a hash of what they are made of: what is there is not made
 * again, and several checkouts share it. Python and npm need the Apache compiler; where `thrift` is missing, it is installed with apt-get.
 *
 * As a module, `peer`, `pythonPeer` and `nodeThriftPeer` give the command of a program, which they build first if need be. All programs take
 * `--port`; servers take 0, print `listening on HOST:PORT` and end on SIGTERM.
 */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

import { root, sharedCache } from './lib/paths.mjs'
import { Failure, must, npm, runMain, which } from './lib/process.mjs'
import { hashOf } from './lib/stamp.mjs'
import { dim, green, time } from './lib/terminal.mjs'

/** @typedef {import('./lib/process.mjs').Command} Command */
/** @typedef {'load' | 'raw' | 'volo' | 'python' | 'node-thrift'} Name */

/**
 * @typedef {object} Recipe
 * @property {string} title what it makes, for the terminal
 * @property {readonly string[]} sources paths of the repository that it is made of
 * @property {(folder: string) => Promise<void>} make fills an empty folder
 */

const ITEM = 'examples/item.thrift'
const EVERYTHING = 'tests/fixtures/everything.thrift'

/** @type {Record<Name, Recipe>} */
const recipes = {
  load: {
    title: 'load generator',
    sources: ['bench/Cargo.toml', 'bench/Cargo.lock', 'bench/load'],
    make: (folder) => cargo(folder, 'bench', 'load'),
  },
  raw: {
    title: 'bare epoll loop',
    sources: ['bench/Cargo.toml', 'bench/Cargo.lock', 'bench/raw'],
    make: (folder) => cargo(folder, 'bench', 'raw'),
  },
  volo: {
    title: 'Volo in Rust (minutes the first time)',
    sources: ['tests/peers/volo', ITEM, 'tests/fixtures'],
    make: (folder) => cargo(folder, 'tests/peers/volo', 'volo-peer'),
  },
  python: {
    title: 'Apache Thrift for Python',
    sources: ['tests/peers/python/requirements.txt', EVERYTHING],
    make: python,
  },
  'node-thrift': {
    title: "npm's thrift",
    sources: ['package.json', 'package-lock.json', '.npmrc']
      .map((file) => `tests/peers/node-thrift/${file}`)
      .concat(ITEM, EVERYTHING),
    make: nodeThrift,
  },
}

const names = /** @type {Name[]} */ (Object.keys(recipes))

/**
 * Compiles a program of a cargo workspace, with the compiler's intermediate files in the cache too.
 * @param {string} folder
 * @param {string} workspace
 * @param {string} program
 */
async function cargo(folder, workspace, program) {
  const target = join(sharedCache, 'peers', 'target', basename(workspace))
  await must({
    command: 'cargo',
    args: ['build', '--release', '--locked', '--target-dir', target, '--bin', program],
    cwd: join(root, workspace),
  })
  copyFileSync(join(target, 'release', program), join(folder, program))
}

/**
 * A virtual environment with the library, and generated code.
 * @param {string} folder
 */
async function python(folder) {
  if (which('python3') === undefined)
    throw new Failure('python3 is missing. Install Python 3.9 or newer and try again.')
  await must({ command: 'python3', args: ['-m', 'venv', join(folder, 'venv')] })
  await must({
    command: join(folder, 'venv', 'bin', 'python'),
    args: ['-m', 'pip', 'install', '-q', '-r', join(root, 'tests/peers/python/requirements.txt')],
  })
  await thrift('py', EVERYTHING, folder)
}

/**
 * The library as the lock file has it, and generated code beside it, where `require` finds the library.
 * @param {string} folder
 */
async function nodeThrift(folder) {
  for (const file of ['package.json', 'package-lock.json', '.npmrc']) {
    copyFileSync(join(root, 'tests/peers/node-thrift', file), join(folder, file))
  }
  await must({ ...npm(['ci', '--ignore-scripts']), cwd: folder })
  for (const idl of [ITEM, EVERYTHING]) await thrift('js:node,es6', idl, folder)
}

/**
 * Runs the Apache compiler, which writes to `gen-LANGUAGE` in the folder.
 * @param {string} generator
 * @param {string} idl
 * @param {string} folder
 */
async function thrift(generator, idl, folder) {
  await installCompiler()
  await must({ command: 'thrift', args: ['-nowarn', '--gen', generator, '-o', folder, join(root, idl)] })
}

/** Installs the Apache compiler where it is missing, as Debian and Ubuntu have it. */
async function installCompiler() {
  if (which('thrift') !== undefined) return
  const advice = 'Install the Apache Thrift compiler (thrift-compiler on Debian and Ubuntu) and try again.'
  if (which('apt-get') === undefined) throw new Failure(`thrift is missing and there is no apt-get. ${advice}`)
  const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n']
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', 'thrift-compiler']]) {
    // Another installation may be under way.
    const [command, ...rest] = [...sudo, 'apt-get', '-o', 'DPkg::Lock::Timeout=120', '-q', ...args]
    try {
      await must({ command, args: rest, env: { DEBIAN_FRONTEND: 'noninteractive' } })
    } catch (error) {
      const output = error instanceof Failure ? `${error.output}\n${error.message}` : String(error)
      throw new Failure(`thrift is missing and apt-get ${args[0]} failed. ${advice}`, { output, cause: error })
    }
  }
}

/** Folders that are being made or known to be there, so that nothing is made twice at once. */
const folders = /** @type {Map<Name, Promise<string>>} */ (new Map())

/**
 * The folder with what a recipe makes.
 * @param {Name} name
 * @param {{ verbose?: boolean }} [options] `verbose`: also say what is there already
 * @returns {Promise<string>}
 */
function ready(name, options = {}) {
  let folder = folders.get(name)
  if (folder === undefined) {
    folder = make(name, options.verbose ?? false)
    folders.set(name, folder)
  }
  return folder
}

/**
 * @param {Name} name
 * @param {boolean} verbose
 */
async function make(name, verbose) {
  const recipe = recipes[name]
  // The recipes themselves are part of what the result is made of.
  const sources = [...recipe.sources, 'scripts/peers.mjs']
  const hash = hashOf(sources, { extra: `${process.platform} ${process.arch}` }).slice(0, 16)
  const folder = join(sharedCache, 'peers', `${name}-${hash}`)
  const label = `${name.padEnd(12)} ${dim(recipe.title)}`
  // Standard output belongs to whoever uses this as a module.
  const say = (/** @type {string} */ line) => process.stderr.write(`${line}\n`)
  if (existsSync(folder)) {
    if (verbose) say(`${green('✔')} ${label} ${dim('is up to date')}`)
    return folder
  }
  say(`… ${label}`)
  const start = performance.now()
  mkdirSync(join(sharedCache, 'peers'), { recursive: true })
  sweep()
  // Made aside and renamed when whole: an interrupted run leaves nothing that looks finished, and two at once do not mix.
  const aside = mkdtempSync(`${folder}.`)
  try {
    await recipe.make(aside)
    if (!existsSync(folder)) renameSync(aside, folder)
  } finally {
    rmSync(aside, { recursive: true, force: true })
  }
  say(`${green('✔')} ${label} ${dim(`(${time(performance.now() - start)})`)}`)
  return folder
}

/** Removes what runs that were killed have left aside; a day is more than any of them takes. */
function sweep() {
  const folder = join(sharedCache, 'peers')
  for (const entry of readdirSync(folder)) {
    const stat = entry.includes('.') ? statSync(join(folder, entry), { throwIfNoEntry: false }) : undefined
    if (stat !== undefined && Date.now() - stat.mtimeMs > 86_400_000) {
      rmSync(join(folder, entry), { recursive: true, force: true })
    }
  }
}

/**
 * A native program: `load`, `raw`, or `volo`, whose first argument is `item-server`, `item-client`, `everything-server` or `everything-client`.
 * @param {'load' | 'raw' | 'volo'} name
 * @returns {Promise<Command>}
 */
export async function peer(name) {
  return { command: join(await ready(name), name === 'volo' ? 'volo-peer' : name), args: [] }
}

/**
 * A program of tests/peers/python.
 * @param {'everything-server' | 'everything-client'} program
 * @returns {Promise<Command>}
 */
export async function pythonPeer(program) {
  const folder = await ready('python')
  const script = join(root, 'tests/peers/python', `${program.replace('-', '_')}.py`)
  // -B: the repository is no place for compiled Python.
  return { command: join(folder, 'venv', 'bin', 'python'), args: ['-B', script, '--generated', join(folder, 'gen-py')] }
}

/**
 * A program of tests/peers/node-thrift.
 * @param {'item-server' | 'item-client' | 'everything-server' | 'everything-client'} program
 * @returns {Promise<Command>}
 */
export async function nodeThriftPeer(program) {
  const folder = await ready('node-thrift')
  const script = join(root, 'tests/peers/node-thrift', `${program}.cjs`)
  // The library uses `new Buffer`, of which Node warns.
  return { command: process.execPath, args: ['--no-deprecation', script, '--generated', join(folder, 'gen-nodejs')] }
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await runMain(async () => {
    const asked = process.argv.slice(2)
    const unknown = asked.find((name) => !names.includes(/** @type {Name} */ (name)))
    if (unknown !== undefined) {
      throw new Failure(`There is no peer ${unknown}; there are ${names.join(', ')}.`, { exitCode: 2 })
    }
    for (const name of asked.length > 0 ? /** @type {Name[]} */ (asked) : names) await ready(name, { verbose: true })
  })
}
