/** How the programs of Apache Thrift's cross tests are made: see scripts/peers.mjs, and tests/peers/apache/README.md for what they can do. */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'

import { apacheSources, apacheThrift } from './apache-thrift.mjs'
import { mustBuild } from './build.mjs'
import { root } from './paths.mjs'
import { Failure, must, npm } from './process.mjs'
import { venv } from './python.mjs'

/** @typedef {import('./grpc-peers.mjs').Recipe} Recipe */
/** @typedef {'python' | 'go' | 'node'} ApacheLanguage */
/** @typedef {`apache-${ApacheLanguage}`} Name */

const OURS = 'tests/peers/apache'
const REQUIREMENTS = 'tests/peers/python/requirements.txt'
const CERTIFICATES = 'tests/fixtures/tls'
const SOURCES = ['scripts/lib/apache-peers.mjs', ...apacheSources, CERTIFICATES]

/** @type {Record<Name, Recipe>} */
export const apacheRecipes = {
  'apache-python': {
    title: "Apache's test programs in Python",
    sources: [...SOURCES, REQUIREMENTS],
    make: python,
  },
  'apache-go': { title: "Apache's test programs in Go", sources: [...SOURCES, `${OURS}/go`], make: go },
  'apache-node': { title: "Apache's test programs for Node", sources: [...SOURCES, `${OURS}/node`], make: node },
}

/** @param {string} folder */
async function python(folder) {
  const apache = await apacheThrift()
  cpSync(join(apache, 'test/py'), join(folder, 'test/py'), { recursive: true })
  await generate('py', join(folder, 'test/py'))
  certificates(join(folder, 'test/keys'))
  await venv(folder, REQUIREMENTS)
}

/** @param {string} folder */
async function node(folder) {
  const apache = await apacheThrift()
  const programs = join(folder, 'lib/nodejs/test')
  cpSync(join(apache, 'lib/nodejs/test'), programs, { recursive: true })
  cpSync(join(root, OURS, 'node'), programs, { recursive: true })
  await generate('js:node', programs)
  certificates(join(folder, 'test/keys'))
  await must({ ...npm(['ci', '--ignore-scripts']), cwd: programs })
}

/**
 * What Apache's programs of Go call, and what they call here: see tests/peers/apache/go.
 * @type {readonly (readonly [file: string, theirs: string, ours: string])[]}
 */
const GO_CHANGES = [
  ['common/client.go', 'thrift.NewTSocketConf(domain_socket, nil)', 'unixSocket(domain_socket)'],
  ['common/server.go', 'thrift.NewTServerSocket(domain_socket)', 'unixServerSocket(domain_socket)'],
  ['bin/testclient/main.go', '\t\tcallEverything(client)\n', '\t\tcallEverything(client)\n\t\tcallUuid(client)\n'],
]

/** @param {string} folder */
async function go(folder) {
  const apache = await apacheThrift()
  const module = join(folder, 'module')
  const ours = join(root, OURS, 'go')
  cpSync(join(apache, 'test/go'), module, { recursive: true })
  for (const file of ['go.mod', 'go.sum']) cpSync(join(ours, file), join(module, file))
  cpSync(join(ours, 'common'), join(module, 'src/common'), { recursive: true })
  cpSync(join(ours, 'testclient'), join(module, 'src/bin/testclient'), { recursive: true })
  for (const [file, theirs, instead] of GO_CHANGES) {
    const path = join(module, 'src', file)
    const source = readFileSync(path, 'utf8')
    if (!source.includes(theirs)) throw new Failure(`${file} of Apache's test programs in Go has no ${theirs.trim()}.`)
    writeFileSync(path, source.replace(theirs, instead))
  }
  const packages = 'package_prefix=github.com/apache/thrift/test/go/src/gen/'
  // Go has no maps whose keys are lists or sets; no method needs them. Apache leaves the line out, too.
  await generate(`go:${packages}`, join(module, 'src/gen'), (line) => !/list.*map.*list.*map/.test(line))
  for (const program of ['testclient', 'testserver']) {
    const args = ['build', '-mod=readonly', '-o', join(folder, program), `./src/bin/${program}`]
    await mustBuild({ command: 'go', args, cwd: module })
  }
  rmSync(module, { recursive: true })
  certificates(join(folder, 'keys'))
}

/**
 * Generates code of ThriftTest.thrift.
 * @param {string} generator and its options
 * @param {string} out folder where the compiler makes `gen-LANGUAGE`; for Go the folder of packages itself
 * @param {(line: string) => boolean} [keep] lines of the IDL that are compiled, default all
 */
async function generate(generator, out, keep = () => true) {
  const apache = await apacheThrift()
  const lines = readFileSync(join(apache, 'test/ThriftTest.thrift'), 'utf8').split('\n')
  const idl = join(out, 'ThriftTest.thrift')
  mkdirSync(out, { recursive: true })
  writeFileSync(idl, lines.filter(keep).join('\n'))
  const place = generator.startsWith('go') ? '-out' : '-o'
  await must({ command: join(apache, 'thrift'), args: ['-nowarn', '--gen', generator, place, out, idl] })
}

/**
 * Certificates of the fixtures, under the names that the programs ask for. Apache's own are not used: its server's is an authority at the same
 * time, which TLS of ours refuses.
 * @param {string} folder
 */
function certificates(folder) {
  const fixture = (/** @type {string} */ name) => readFileSync(join(root, CERTIFICATES, name))
  mkdirSync(folder, { recursive: true })
  const put = (/** @type {string} */ name, /** @type {string[]} */ ...parts) =>
    writeFileSync(join(folder, name), Buffer.concat(parts.map(fixture)))
  put('server.crt', 'server.pem')
  put('server.key', 'server.key')
  // Whom clients trust.
  put('server.pem', 'ca.pem')
  // Clients show the first; the server in Python takes the file for the authorities of clients. It wants the client's address in the certificate,
  // which of the fixtures only this one has.
  put('client_v3.crt', 'server.pem', 'ca.pem')
  put('client_v3.key', 'server.key')
}

/**
 * The command of a program, without the flags that say how it talks.
 * @param {string} folder of the recipe
 * @param {ApacheLanguage} language
 * @param {'server' | 'client'} side
 * @returns {import('./process.mjs').Command}
 */
export function apacheCommand(folder, language, side) {
  if (language === 'go') {
    // Only the server has the flag.
    const keys = side === 'server' ? ['-certPath', join(folder, 'keys')] : []
    return { command: join(folder, `test${side}`), args: keys }
  }
  if (language === 'node') {
    return { command: process.execPath, args: ['--no-deprecation', join(folder, 'lib/nodejs/test', `${side}.mjs`)] }
  }
  const script = join(folder, 'test/py', side === 'server' ? 'TestServer.py' : 'TestClient.py')
  return { command: join(folder, 'venv/bin/python'), args: [script, '--genpydir=gen-py'] }
}
