#!/usr/bin/env node
/**
 * node scripts/peers.mjs [NAME...]
 *
 * Builds what the tests talk to and the benchmarks measure against; without names, all of it:
 *
 * - `load`: the load generator (bench/load), `raw`: the bare epoll loop (bench/raw)
 * - `volo`: Volo in Rust (tests/peers/volo), minutes the first time; `volo-fast`: the same for tests, which builds in a fraction of that
 * - `python`: Apache Thrift for Python (tests/peers/python)
 * - `node-thrift`: npm's thrift (tests/peers/node-thrift)
 * - `kitex`: Kitex in Go (tests/peers/kitex)
 * - `apache-python`, `apache-go`, `apache-node`: the programs of Apache Thrift's cross tests (tests/peers/apache)
 * - `grpc-go`: the official interoperability programs, and an ItemService (tests/peers/grpc-go)
 * - `grpc-js`: grpc-js, nice-grpc, connect-node (tests/peers/grpc-js)
 * - `tonic` (tests/peers/tonic), `h2-bare`: bare h2 with canned replies (bench/h2-bare), `grpc-load` (bench/grpc-load)
 * - `grpcurl`, `ghz`, `h2spec`: clients and checkers; `h2load` is installed with apt-get where it is missing
 * - `python-h2`: frames of HTTP/2 by hand (tests/attacks/grpc)
 *
 * `--tests` leaves out what only benchmarks need.
 *
 * Results are kept outside the repository, in `VOLO_CACHE` or `~/.cache/volo-js`, under a hash of what they are made of: what is there is not made
 * again, and several checkouts share it. Python and npm need the Apache compiler; where `thrift` is missing, it is installed with apt-get.
 *
 * As a module, `peer`, `pythonPeer`, `nodeThriftPeer` and others give the command of a program, which they build first if need be. All programs take
 * `--port`; servers take 0, print `listening on HOST:PORT` and end on SIGTERM.
 */
import { copyFileSync, existsSync, realpathSync } from 'node:fs'
import { basename, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

import { apacheCommand, apacheRecipes } from './lib/apache-peers.mjs'
import { apacheThrift } from './lib/apache-thrift.mjs'
import { aptInstall } from './lib/apt.mjs'
import { mustBuild } from './lib/build.mjs'
import { cached } from './lib/cached.mjs'
import { grpcJsCommand, grpcRecipes, h2load } from './lib/grpc-peers.mjs'
import { kitexRecipe } from './lib/kitex-peer.mjs'
import { peersTarget, root, sharedCache } from './lib/paths.mjs'
import { Failure, must, npm, runMain } from './lib/process.mjs'
import { venv } from './lib/python.mjs'
import { hashOf } from './lib/stamp.mjs'
import { dim, green } from './lib/terminal.mjs'

/** @typedef {import('./lib/process.mjs').Command} Command */
/** @typedef {'load' | 'raw' | 'grpc-load' | 'h2-bare' | 'volo' | 'volo-fast' | 'tonic' | 'python' | 'node-thrift' | 'python-h2' | 'kitex' | import('./lib/grpc-peers.mjs').Name | import('./lib/apache-peers.mjs').Name} Name */

/** @typedef {import('./lib/grpc-peers.mjs').Recipe} Recipe */

const ITEM = 'examples/item.thrift'
const ITEM_GRPC = 'examples/item.proto'
const EVERYTHING = 'tests/fixtures/everything.thrift'
const VOLO = ['tests/peers/volo', ITEM, 'tests/fixtures']
const ATTACKS = 'tests/attacks/grpc/requirements.txt'

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
    measured: true,
  },
  'grpc-load': {
    title: 'load generator of gRPC',
    sources: ['bench/Cargo.toml', 'bench/Cargo.lock', 'bench/grpc-load'],
    make: (folder) => cargo(folder, 'bench', 'grpc-load'),
  },
  'h2-bare': {
    title: 'bare h2',
    sources: ['bench/Cargo.toml', 'bench/Cargo.lock', 'bench/h2-bare'],
    make: (folder) => cargo(folder, 'bench', 'h2-bare'),
    measured: true,
  },
  volo: {
    title: 'Volo in Rust (minutes the first time)',
    sources: VOLO,
    make: (folder) => cargo(folder, 'tests/peers/volo', 'volo-peer'),
    measured: true,
  },
  'volo-fast': {
    title: 'Volo in Rust, for tests',
    sources: VOLO,
    make: (folder) => cargo(folder, 'tests/peers/volo', 'volo-peer', 'fast'),
  },
  tonic: {
    title: 'tonic',
    sources: ['tests/peers/tonic', ITEM_GRPC],
    make: (folder) => cargo(folder, 'tests/peers/tonic', 'tonic-peer'),
    measured: true,
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
  'python-h2': { title: 'frames of HTTP/2', sources: [ATTACKS], make: (folder) => venv(folder, ATTACKS) },
  kitex: kitexRecipe,
  ...apacheRecipes,
  ...grpcRecipes,
}

const names = /** @type {Name[]} */ (Object.keys(recipes))

/**
 * Compiles a program of a cargo workspace, with the compiler's intermediate files in the cache too.
 * @param {string} folder
 * @param {string} workspace
 * @param {string} program also the name of its package
 * @param {'release' | 'fast'} [profile]
 */
async function cargo(folder, workspace, program, profile = 'release') {
  const target = join(peersTarget, basename(workspace))
  const run = (/** @type {readonly string[]} */ ...args) =>
    mustBuild({
      command: 'cargo',
      args: [...args, '--profile', profile, '--locked', '--target-dir', target],
      cwd: join(root, workspace),
    })
  // Cargo goes by times: what another checkout has built there later than these files were written would pass for theirs.
  await run('clean', '--package', program)
  await run('build', '--bin', program)
  copyFileSync(join(target, profile, program), join(folder, program))
}

/**
 * A virtual environment with the library, and generated code.
 * @param {string} folder
 */
async function python(folder) {
  await venv(folder, 'tests/peers/python/requirements.txt')
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
  const folder = `peers/${name}-${recipe.version ?? hash}`
  const label = `${name.padEnd(12)} ${dim(recipe.title)}`
  if (verbose && existsSync(join(sharedCache, folder))) {
    // Standard output belongs to whoever uses this as a module.
    process.stderr.write(`${green('✔')} ${label} ${dim('is up to date')}\n`)
  }
  return cached(folder, label, recipe.make)
}

/** The file of a peer that is one native program. */
const PROGRAMS = { volo: 'volo-peer', 'volo-fast': 'volo-peer', tonic: 'tonic-peer' }

/**
 * A native program: `load`, `raw`, `grpc-load`, `h2-bare`, `tonic`, `grpcurl`, `ghz`, `h2spec`, or `volo` and `volo-fast`, whose first argument is `item-server`,
 * `item-client`, `everything-server`, `everything-client`, `estate-server` or `estate-client`.
 * @param {'load' | 'raw' | 'grpc-load' | 'h2-bare' | 'volo' | 'volo-fast' | 'tonic' | 'grpcurl' | 'ghz' | 'h2spec'} name
 * @returns {Promise<Command>}
 */
export async function peer(name) {
  const file = name in PROGRAMS ? PROGRAMS[/** @type {keyof typeof PROGRAMS} */ (name)] : name
  return { command: join(await ready(name), file), args: [] }
}

/**
 * A program of tests/peers/kitex.
 * @param {import('./lib/kitex-peer.mjs').KitexProgram} program
 * @returns {Promise<Command>}
 */
export async function kitexPeer(program) {
  return { command: join(await ready('kitex'), program), args: [] }
}

/**
 * A program of grpc-go: `item-server`, the official `interop-client` and `interop-server`, or those of tests/peers/grpc-go that compress.
 * @param {import('./lib/grpc-peers.mjs').GrpcGoProgram} program
 * @returns {Promise<Command>}
 */
export async function grpcGoPeer(program) {
  return { command: join(await ready('grpc-go'), program), args: [] }
}

/**
 * A program of tests/peers/grpc-js.
 * @param {import('./lib/grpc-peers.mjs').GrpcJsProgram} program
 * @returns {Promise<Command>}
 */
export async function grpcJsPeer(program) {
  return grpcJsCommand(await ready('grpc-js'), program)
}

/** A package of tests/peers/grpc-js, for what benchmarks load beside ours. */
export async function grpcJsLibraries() {
  return ready('grpc-js')
}

/** Python with what the attacks of tests/attacks/grpc need. */
export async function attackPython() {
  return { command: join(await ready('python-h2'), 'venv', 'bin', 'python'), args: ['-B'] }
}

export { h2load }

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

/**
 * A program of Apache Thrift's cross tests. These do not follow the rules above: servers take no port 0 and do not say where they listen.
 * @param {import('./lib/apache-peers.mjs').ApacheLanguage} language
 * @param {'server' | 'client'} side
 * @returns {Promise<Command>}
 */
export async function apachePeer(language, side) {
  return apacheCommand(await ready(`apache-${language}`), language, side)
}

/** The IDL of those programs. */
export async function thriftTestIdl() {
  return join(await apacheThrift(), 'test/ThriftTest.thrift')
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await runMain(async () => {
    const testsOnly = process.argv.includes('--tests')
    const asked = process.argv.slice(2).filter((word) => word !== '--tests')
    const unknown = asked.find((name) => !names.includes(/** @type {Name} */ (name)))
    if (unknown !== undefined) {
      throw new Failure(`There is no peer ${unknown}; there are ${names.join(', ')}.`, { exitCode: 2 })
    }
    const wanted = names.filter((name) =>
      asked.length > 0 ? asked.includes(name) : !testsOnly || !recipes[name].measured,
    )
    for (const name of wanted) await ready(name, { verbose: true })
  })
}
