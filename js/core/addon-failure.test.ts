import { readFileSync } from 'node:fs'
import test from 'ava'
import { VERSION } from '../build/version.js'
import { explain, PACKAGES, suffixOf, type Attempt, type System } from './addon-failure.js'

const glibc: System = {
  platform: 'linux',
  arch: 'x64',
  libc: { kind: 'glibc', version: '2.31' },
  node: 'v20.20.2',
  permissions: false,
}
const here = 'file:///app/node_modules/volo-js/dist/bundle/index.js'

function failed(name: string, code: string, message: string, fields: object = {}): Attempt {
  return { name, error: Object.assign(new Error(message), { code }, fields) }
}
const absent = failed('volo-js-linux-x64-gnu', 'MODULE_NOT_FOUND', "Cannot find module 'volo-js-linux-x64-gnu'")
const because = (attempts: Attempt[], system: Partial<System> = {}, named?: string) =>
  explain(attempts, { here, ...(named === undefined ? {} : { named }) }, { ...glibc, ...system })

test('a missing package is named with its version, platform, C library and the ways it gets lost', (t) => {
  const { message, code, cause } = because([absent])
  t.is(code, 'FAILED_PRECONDITION')
  t.is(cause, absent.error)
  t.true(message.startsWith('volo-js has no native addon that loads here: linux x64, glibc 2.31, Node 20.20.2.\n'))
  t.regex(message, /volo-js-linux-x64-gnu is not installed/)
  t.regex(message, /--omit=optional/)
  t.true(message.includes(`npm install volo-js-linux-x64-gnu@${VERSION}`))
})

test('a glibc that is too old is told with the version that is needed', (t) => {
  const reason = ['2.32', '2.9', '2.34'].map((version) => `libc.so.6: version \`GLIBC_${version}' not found`).join('; ')
  const { message } = because([failed('/app/volo-js.linux-x64-gnu.node', 'ERR_DLOPEN_FAILED', reason), absent])
  t.true(message.includes(`- /app/volo-js.linux-x64-gnu.node: ${reason}\n`))
  t.regex(message, /needs glibc 2\.34, this system has 2\.31\./)
  t.notRegex(message, /is not installed/)
})

test('a binary of another C library asks for a new installation', (t) => {
  const reason = 'libc.musl-x86_64.so.1: cannot open shared object file: No such file or directory'
  const musl = ['volo-js-linux-x64-musl', '/app/node_modules/volo-js-linux-x64-musl/volo-js.linux-x64-musl.node']
  const { message } = because([absent, ...musl.map((name) => failed(name, 'ERR_DLOPEN_FAILED', reason))])
  t.is(message.split(reason).length, 2, 'the same binary is named once')
  t.true(message.includes(`- volo-js-linux-x64-musl: ${reason}\n`))
  t.regex(message, /which needs volo-js-linux-x64-gnu/)
  t.regex(message, /does not fit this system/)
})

test('a package without its binary counts as broken, not as missing', (t) => {
  const broken = failed(
    'volo-js-linux-x64-gnu',
    'MODULE_NOT_FOUND',
    "Cannot find module '/m/x.node'. Verify main\nstack",
    {
      path: '/m/package.json',
    },
  )
  const { message } = because([broken])
  t.true(message.includes("- volo-js-linux-x64-gnu: Cannot find module '/m/x.node'. Verify main\nWhat is installed"))
})

test('a platform without a package is told those that have one, and how to build', (t) => {
  const { message } = because([absent], { arch: 'riscv64' })
  t.regex(message, /no package for linux-riscv64-gnu; there are linux-x64-gnu, /)
  t.regex(message, /VOLO_ADDON/)
})

test('permissions and --no-addons are told apart', (t) => {
  const refused = failed('volo-js-linux-x64-gnu', 'ERR_DLOPEN_DISABLED', 'Cannot load native addon')
  t.regex(because([refused], { permissions: true }).message, /--allow-addons/)
  t.regex(because([refused]).message, /without that flag/)
  const denied = failed('volo-js-linux-x64-gnu', 'ERR_ACCESS_DENIED', 'Access restricted', {
    resource: '/app/node_modules/volo-js-linux-x64-gnu/package.json',
  })
  t.regex(because([denied]).message, /--allow-fs-read=\/app\/node_modules\/volo-js-linux-x64-gnu\/\*/)
})

test('VOLO_ADDON is named when it is at fault', (t) => {
  t.regex(because([absent], {}, '/x.node').message, /VOLO_ADDON names \/x\.node, which does not exist/)
  const broken = failed('/x.node', 'ERR_DLOPEN_FAILED', '/x.node: file too short')
  t.regex(because([broken], {}, '/x.node').message, /VOLO_ADDON names \/x\.node, which does not load/)
})

test('every platform has the name that napi-rs gives its package', (t) => {
  const system = (platform: string, arch: string, kind?: 'musl'): System => ({
    platform,
    arch,
    ...(kind === undefined ? {} : { libc: { kind } }),
    node: 'v24.0.0',
    permissions: false,
  })
  const systems = [
    glibc,
    system('linux', 'x64', 'musl'),
    { ...glibc, arch: 'arm64' },
    system('linux', 'arm64', 'musl'),
    system('darwin', 'x64'),
    system('darwin', 'arm64'),
    system('win32', 'x64'),
  ]
  t.deepEqual(systems.map(suffixOf), PACKAGES)
})

test('versions and platforms agree with package.json', (t) => {
  const { version, napi } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
    napi: { targets: string[] }
  }
  t.is(VERSION, version)
  t.deepEqual([...napi.targets].map(platformOf).sort(), [...PACKAGES].sort())
})

/** What napi-rs calls the platform of a Rust target. */
function platformOf(target: string): string {
  const [arch, , system, environment] = target.split('-')
  const cpu = arch === 'x86_64' ? 'x64' : 'arm64'
  if (system === 'darwin') return `darwin-${cpu}`
  return `${system === 'windows' ? 'win32' : system}-${cpu}-${environment}`
}
