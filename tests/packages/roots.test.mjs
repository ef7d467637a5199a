/** Installing and running inside the root of a bare Debian system, as in a small container: no compiler, no Rust, nothing of this machine. */
import { cpSync, copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import process from 'node:process'
import test from 'ava'

import { must, run } from '../../scripts/lib/process.mjs'
import { layProject } from '../../scripts/lib/project.mjs'
import { asRoot } from '../../scripts/lib/apt.mjs'
import { debianRoot, inside, removeInside } from '../../scripts/lib/roots.mjs'
import { install, npmFolder, registryOf } from './installed.mjs'

/**
 * A project inside a root, with Node and npm in it.
 * @param {import('ava').ExecutionContext<unknown>} t
 * @param {import('../../scripts/lib/roots.mjs').Release} release
 */
async function project(t, release) {
  const system = await debianRoot(release)
  // Written here, moved there: the root may belong to another user.
  const staged = mkdtempSync(join(dirname(system), 'project-'))
  const place = `/srv/${staged.split('/').at(-1)}`
  t.teardown(async () => {
    rmSync(staged, { recursive: true, force: true })
    await removeInside(join(system, place))
  })
  mkdirSync(join(staged, 'bin'))
  copyFileSync(process.execPath, join(staged, 'bin', 'node'))
  cpSync(npmFolder(), join(staged, 'npm'), { recursive: true, dereference: true })
  mkdirSync(join(staged, 'project'))
  layProject(join(staged, 'project'))
  await must(asRoot(['mv', staged, join(system, place)]))
  /** @param {readonly string[]} command */
  const at = (command) =>
    inside(system, command, {
      cwd: `${place}/project`,
      env: { PATH: `${place}/bin:/usr/local/bin:/usr/bin:/bin`, HOME: place },
    })
  return { at, npm: ['node', `${place}/npm/bin/npm-cli.js`] }
}

test('Debian bookworm: installs, generates code, serves and calls', async (t) => {
  const { at, npm } = await project(t, 'bookworm')
  const tools = ['cc', 'gcc', 'clang', 'make', 'cargo', 'rustc', 'python3', 'git']
  const found = await run(at(['sh', '-c', `for tool in ${tools.join(' ')}; do command -v $tool; done; true`]))
  t.is(found.output, '', 'nothing to build with')
  await must(at([...npm, ...install(await registryOf(t))]))
  await must(at([...npm, 'exec', '--', 'volo', 'build', 'item.thrift']))
  t.is((await run(at(['node', 'smoke.mjs']), { timeout: 30_000 })).output, 'answered 100\n')
})

test('Debian bullseye: a binary that needs a newer glibc says so, one that does not runs', async (t) => {
  const { at, npm } = await project(t, 'bullseye')
  await must(at([...npm, ...install(await registryOf(t))]))
  const built = await run(at([...npm, 'exec', '--', 'volo', 'build', 'item.thrift']), { timeout: 30_000 })
  if (built.code === 0) {
    // Built against an old glibc, as releases are.
    t.is((await run(at(['node', 'smoke.mjs']), { timeout: 30_000 })).output, 'answered 100\n')
  } else {
    t.regex(built.output, /no native addon that loads here: linux \w+, glibc 2\.31, Node/)
    t.regex(built.output, /GLIBC_2\.\d+' not found/)
    t.regex(built.output, /The binary needs glibc 2\.\d+, this system has 2\.31\./)
  }
})
