#!/usr/bin/env node
/**
 * node scripts/release/sbom.mjs [--out DIR]
 *
 * Writes what the packages are made of, as CycloneDX: `npm.cdx.json` (what volo-js installs) and `rust.cdx.json` (crates of the addon, for all
 * platforms, without those that only tests use). `--out` defaults to `target/sbom`.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'

import { cargoTool } from '../lib/cargo-tool.mjs'
import { root } from '../lib/paths.mjs'
import { must, npm, runMain } from '../lib/process.mjs'
import { files } from '../lib/stamp.mjs'

/**
 * The crates. The tool writes beside every manifest of the workspace, so it gets a copy of those.
 * @param {string} file
 */
async function rust(file) {
  const tool = await cargoTool('cargo-cyclonedx')
  const copy = mkdtempSync(join(tmpdir(), 'volo-js-sbom-'))
  try {
    for (const source of ['Cargo.toml', 'Cargo.lock', 'build.rs', 'bindings', 'crates'].flatMap(files)) {
      const target = join(copy, relative(root, source))
      mkdirSync(join(target, '..'), { recursive: true })
      if (statSync(source).isFile()) copyFileSync(source, target)
    }
    const args = [
      'cyclonedx',
      '--format',
      'json',
      '--spec-version',
      '1.5',
      '--target',
      'all',
      '--override-filename',
      'volo-js.cdx',
    ]
    await must({ command: tool, args, cwd: copy })
    // Crates of the workspace are named by their folder.
    writeFileSync(file, readFileSync(join(copy, 'volo-js.cdx.json'), 'utf8').replaceAll(copy, '/volo-js'))
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

await runMain(async () => {
  const { values } = parseArgs({ options: { out: { type: 'string', default: join(root, 'target', 'sbom') } } })
  const out = resolve(values.out)
  mkdirSync(out, { recursive: true })
  const { stdout } = await must(npm(['sbom', '--sbom-format', 'cyclonedx', '--omit', 'dev', '--package-lock-only']))
  const bom = JSON.parse(stdout)
  // npm calls the package by the folder it stands in.
  bom.metadata.component.name = 'volo-js'
  writeFileSync(join(out, 'npm.cdx.json'), `${JSON.stringify(bom, null, 2)}\n`)
  await rust(join(out, 'rust.cdx.json'))
  for (const name of ['npm.cdx.json', 'rust.cdx.json']) process.stdout.write(`${join(out, name)}\n`)
})
