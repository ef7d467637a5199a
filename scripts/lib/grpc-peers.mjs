/** How the peers of gRPC are made: see scripts/peers.mjs. */
import { copyFileSync, cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'

import { aptInstall } from './apt.mjs'
import { mustBuild } from './build.mjs'
import { needGo } from './go.mjs'
import { root } from './paths.mjs'
import { must, npm } from './process.mjs'

/**
 * @typedef {object} Recipe
 * @property {string} title what it makes, for the terminal
 * @property {readonly string[]} sources paths of the repository that it is made of
 * @property {string} [version] of what is made of nothing here; it names the folder
 * @property {boolean} [measured] only benchmarks need it
 * @property {(folder: string) => Promise<void>} make fills an empty folder
 */

/** @typedef {'grpc-go' | 'grpc-js' | keyof typeof GO_PROGRAMS} Name */
/** @typedef {keyof typeof GRPC_GO} GrpcGoProgram */
/** @typedef {'item-server' | 'item-client' | 'nice-server' | 'connect-server' | 'interop-server' | 'interop-client'} GrpcJsProgram */

/** Programs that are built from Go modules as they are. */
const GO_PROGRAMS = {
  grpcurl: { module: 'github.com/fullstorydev/grpcurl/cmd/grpcurl', version: 'v1.9.4' },
  ghz: { module: 'github.com/bojand/ghz/cmd/ghz', version: 'v0.120.0' },
  h2spec: { module: 'github.com/summerwind/h2spec/cmd/h2spec', version: 'v2.2.1+incompatible' },
}

/**
 * @param {keyof typeof GO_PROGRAMS} name
 * @param {string} title
 * @returns {Recipe}
 */
function goProgram(name, title) {
  const { module, version } = GO_PROGRAMS[name]
  return {
    title: `${title} ${version}`,
    sources: [],
    version,
    async make(folder) {
      needGo()
      await mustBuild({ command: 'go', args: ['install', `${module}@${version}`], env: { GOBIN: folder } })
    },
  }
}

/** The recipes themselves are part of what their results are made of. */
const HERE = 'scripts/lib/grpc-peers.mjs'
const ITEM = 'examples/item.proto'

/** Programs of grpc-go's module, and what tests/peers/grpc-go adds. */
const GRPC_GO = {
  'interop-client': 'google.golang.org/grpc/interop/client',
  'interop-server': 'google.golang.org/grpc/interop/server',
  'compressed-client': './compressed-client',
  'compressed-server': './compressed-server',
  'error-details': './error-details',
  'item-server': './item-server',
  'keepalive-client': './keepalive-client',
}

/** @type {Record<Name, Recipe>} */
export const grpcRecipes = {
  'grpc-go': { title: 'grpc-go', sources: ['tests/peers/grpc-go', ITEM, HERE], make: grpcGo },
  'grpc-js': {
    title: 'grpc-js, nice-grpc, connect-node',
    sources: [...['package.json', 'package-lock.json', '.npmrc'].map((file) => `tests/peers/grpc-js/${file}`), HERE],
    make: grpcJs,
  },
  grpcurl: goProgram('grpcurl', 'grpcurl'),
  ghz: goProgram('ghz', 'ghz'),
  h2spec: goProgram('h2spec', 'h2spec'),
}

/**
 * The module is copied, for the code of item.proto is generated inside of it.
 * @param {string} folder
 */
async function grpcGo(folder) {
  needGo()
  const module = join(folder, 'module')
  cpSync(join(root, 'tests/peers/grpc-go'), module, { recursive: true })
  const go = (/** @type {readonly string[]} */ args) => mustBuild({ command: 'go', args, cwd: module })
  await go(['run', './generate', join(root, ITEM), 'grpc-go-peer/item', './item'])
  for (const [program, source] of Object.entries(GRPC_GO)) {
    await go(['build', '-o', join(folder, program), source])
  }
  rmSync(module, { recursive: true })
}

/**
 * The libraries as the lock file has them.
 * @param {string} folder
 */
async function grpcJs(folder) {
  for (const file of ['package.json', 'package-lock.json', '.npmrc']) {
    copyFileSync(join(root, 'tests/peers/grpc-js', file), join(folder, file))
  }
  await must({ ...npm(['ci', '--ignore-scripts']), cwd: folder })
}

/**
 * The command of a program of tests/peers/grpc-js.
 * @param {string} folder with the libraries
 * @param {GrpcJsProgram} program
 * @returns {import('./process.mjs').Command}
 */
export function grpcJsCommand(folder, program) {
  const script = join(root, 'tests/peers/grpc-js', `${program}.cjs`)
  const proto = program.startsWith('interop') ? 'tests/fixtures/grpc/test.proto' : ITEM
  return { command: process.execPath, args: [script, '--library', folder, '--proto', join(root, proto)] }
}

/**
 * h2load, of nghttp2.
 * @returns {Promise<import('./process.mjs').Command>}
 */
export async function h2load() {
  const advice = 'Install h2load (nghttp2-client on Debian and Ubuntu) and try again.'
  await aptInstall('h2load', ['nghttp2-client'], advice)
  return { command: 'h2load', args: [] }
}
