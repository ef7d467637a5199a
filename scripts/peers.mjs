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
import { copyFileSync, existsSync, realpathSync } from 'node:fs'
import { basename, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

import { aptInstall } from './lib/apt.mjs'
import { cached } from './lib/cached.mjs'
import { root, sharedCache } from './lib/paths.mjs'
import { Failure, must, npm, runMain, which } from './lib/process.mjs'
import { hashOf } from './lib/stamp.mjs'
import { dim, green } from './lib/terminal.mjs'

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
  const advice = 'Install the Apache Thrift compiler (thrift-compiler on Debian and Ubuntu) and try again.'
  await aptInstall('thrift', ['thrift-compiler'], advice)
  await must({ command: 'thrift', args: ['-nowarn', '--gen', generator, '-o', folder, join(root, idl)] })
}

/**
 * The folder with what a recipe makes.
 * @param {Name} name
 * @param {{ verbose?: boolean }} [options] `verbose`: also say what is there already
 * @returns {Promise<string>}
 */
function ready(name, { verbose = false } = {}) {
  const recipe = recipes[name]
  // The recipes themselves are part of what the result is made of.
  const sources = [...recipe.sources, 'scripts/peers.mjs']
  const hash = hashOf(sources, { extra: `${process.platform} ${process.arch}` }).slice(0, 16)
  const folder = `peers/${name}-${hash}`
  const label = `${name.padEnd(12)} ${dim(recipe.title)}`
  if (verbose && existsSync(join(sharedCache, folder))) {
    // Standard output belongs to whoever uses this as a module.
    process.stderr.write(`${green('✔')} ${label} ${dim('is up to date')}\n`)
  }
  return cached(folder, label, recipe.make)
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
