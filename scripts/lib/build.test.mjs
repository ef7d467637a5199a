import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'

import test from 'ava'

import { build, mustBuild } from './build.mjs'

const KILLED = 'collect2: fatal error: ld terminated with signal 7 [Bus error], core dumped'

/**
 * A build that says one thing when it is run first and another one from then on, and fails where it says anything.
 * @param {import('ava').ExecutionContext} t
 * @param {string} first
 * @param {string} then
 */
function spoilt(t, first, then) {
  const folder = mkdtempSync(join(tmpdir(), 'volo-build-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const program = `
    const { existsSync, writeFileSync } = require('node:fs')
    const [mark, first, then] = process.argv.slice(1)
    const said = existsSync(mark) ? then : first
    writeFileSync(mark, '')
    process.stderr.write(said)
    process.exitCode = said === '' ? 0 : 101`
  return { command: process.execPath, args: ['-e', program, join(folder, 'mark'), first, then] }
}

test('a linker that a signal ended is run once more', async (t) => {
  const { code, remark } = await build(spoilt(t, KILLED, ''))
  t.is(code, 0)
  t.regex(remark, /^built once more: ld was ended \(signal 7 \[Bus error\]\); \d+\.\d GiB of disk free/)
})

test('but not twice, and the reason is told', async (t) => {
  const { code, output, remark } = await build(spoilt(t, KILLED, KILLED))
  t.is(code, 101)
  t.regex(output, /machine's doing.* \d+\.\d GiB of disk free/)
  t.not(remark, '')
})

test('a full disk is told, and what the code has done is not done again', async (t) => {
  const full = await build(spoilt(t, 'No space left on device (os error 28)', ''))
  t.is(full.code, 101)
  t.regex(full.output, /There is little space: \d+\.\d GiB of disk free/)
  const wrong = await build(spoilt(t, 'error[E0308]: mismatched types', ''))
  t.is(wrong.code, 101)
  t.notRegex(wrong.output, /machine/)
  const error = await t.throwsAsync(mustBuild(spoilt(t, 'error[E0308]: mismatched types', '')))
  t.regex(error?.message ?? '', /failed with exit code 101/)
})
