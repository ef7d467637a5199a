/**
 * Apache Thrift as its project releases it: the compiler, `ThriftTest.thrift`, and the programs of its cross tests. All of it comes from its Go
 * module, which holds the whole tree, checked against tests/peers/apache/go/go.sum.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import process from 'node:process'

import { aptInstall } from './apt.mjs'
import { mustBuild } from './build.mjs'
import { cached } from './cached.mjs'
import { needGo } from './go.mjs'
import { root } from './paths.mjs'
import { must } from './process.mjs'
import { hashOf } from './stamp.mjs'

const MODULE = 'github.com/apache/thrift'
const VERSION = '0.25.0'

/** The last release whose module holds the programs of Go: later ones keep them in a module of their own, which is not published. */
export const goProgramsVersion = '0.17.0'

const CHECKSUMS = 'tests/peers/apache/go'

/** What is taken of the tree. */
const PARTS = {
  [VERSION]: [
    'LICENSE',
    'test/ThriftTest.thrift',
    'test/py/TestClient.py',
    'test/py/TestServer.py',
    'test/py/util.py',
    ...['client.mjs', 'helpers.js', 'server.mjs', 'test-cases.mjs', 'test_driver.mjs', 'test_handler.mjs'].map(
      (file) => `lib/nodejs/test/${file}`,
    ),
  ],
  [goProgramsVersion]: [
    'test/go/src/bin/testclient/main.go',
    'test/go/src/bin/testserver/main.go',
    ...['client.go', 'printing_handler.go', 'server.go'].map((file) => `test/go/src/common/${file}`),
  ],
}

/** Sources of the compiler, below compiler/cpp/src/thrift, with the generators for the languages here and no other. */
const COMPILER = [
  ...['main.cc', 'common.cc', 'audit/t_audit.cpp', 'parse/parse.cc', 'parse/t_typedef.cc'],
  ...['t_generator.cc', 'validator_parser.cc', 'go_validator_generator.cc'].map((file) => `generate/${file}`),
  ...['go', 'js', 'py'].map((language) => `generate/t_${language}_generator.cc`),
]

/** What the folder is made of, for the hashes of what is made from it. */
export const apacheSources = ['scripts/lib/apache-thrift.mjs', `${CHECKSUMS}/go.mod`, `${CHECKSUMS}/go.sum`]

/**
 * A folder with parts of the tree where they are in the tree, and the compiler as `thrift`.
 * @returns {Promise<string>}
 */
export function apacheThrift() {
  const hash = hashOf(apacheSources, { extra: `${process.platform} ${process.arch}` }).slice(0, 16)
  return cached(`peers/apache-thrift-${hash}`, `Apache Thrift ${VERSION}: compiler, test programs`, async (folder) => {
    for (const [version, files] of Object.entries(PARTS)) {
      const tree = await module(version)
      for (const file of files) copy(join(tree, file), join(folder, file))
    }
    await compiler(await module(VERSION), folder)
  })
}

/**
 * The folder of a release in Go's module cache; nothing may write there.
 * @param {string} version
 */
async function module(version) {
  needGo()
  const args = ['mod', 'download', '-json', `${MODULE}@v${version}`]
  const { stdout } = await must({ command: 'go', args, cwd: join(root, CHECKSUMS) })
  return /** @type {{ Dir: string }} */ (JSON.parse(stdout)).Dir
}

/**
 * Copies contents only: files of the module cache are read-only.
 * @param {string} from
 * @param {string} to
 */
function copy(from, to) {
  mkdirSync(dirname(to), { recursive: true })
  writeFileSync(to, readFileSync(from))
}

/**
 * Builds the compiler. What Debian has is older than the libraries: its code has no uuid.
 * @param {string} tree
 * @param {string} folder
 */
async function compiler(tree, folder) {
  const advice = 'Install flex, bison and a C++ compiler, and try again.'
  for (const program of ['flex', 'bison', 'g++']) await aptInstall(program, [program], advice)
  const source = join(tree, 'compiler/cpp/src')
  const made = join(folder, 'made')
  mkdirSync(join(made, 'thrift'), { recursive: true })
  const parser = join(made, 'thrift', 'thrifty.cc')
  const scanner = join(made, 'thrift', 'thriftl.cc')
  await must({ command: 'bison', args: ['-d', '-o', parser, join(source, 'thrift/thrifty.yy')] })
  await must({ command: 'flex', args: ['-o', scanner, join(source, 'thrift/thriftl.ll')] })
  const sources = COMPILER.map((file) => join(source, 'thrift', file))
  const args = ['-std=c++17', '-I', made, '-I', source, '-o', join(folder, 'thrift'), parser, scanner, ...sources]
  await mustBuild({ command: 'g++', args })
  rmSync(made, { recursive: true })
}
