#!/usr/bin/env node
/**
 * npm run try -- DIR
 *
 * Installs the tarballs of a folder (scripts/release/packages.mjs has made them) into an empty project, without install scripts, generates code,
 * and lets a server and a client call each other there. For every platform and version of Node that a release is for; needs nothing but them.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import process from 'node:process'

import { layProject } from '../lib/project.mjs'
import { platformSuffix } from '../lib/paths.mjs'
import { Failure, must, npm, runMain } from '../lib/process.mjs'

await runMain(async () => {
  const folder = process.argv[2]
  if (folder === undefined) throw new Failure('Name the folder of the tarballs: npm run try -- DIR', { exitCode: 2 })
  const suffix = platformSuffix()
  const wanted = [/^volo-js-\d/, new RegExp(`^volo-js-${suffix}-\\d`)]
  const tarballs = wanted.map((pattern) => {
    const name = readdirSync(folder).find((name) => pattern.test(name))
    if (name === undefined) throw new Failure(`${folder} holds no tarball ${pattern.source}.`)
    return resolve(folder, name)
  })
  const project = mkdtempSync(join(tmpdir(), 'volo-js-try-'))
  try {
    layProject(project)
    await must({ ...npm(['install', '--ignore-scripts', '--no-audit', '--no-fund', ...tarballs]), cwd: project })
    const at = { command: process.execPath, cwd: project }
    await must({ ...at, args: [join('node_modules', 'volo-js', 'dist', 'cli', 'main.js'), 'build', 'item.thrift'] })
    const { output } = await must({ ...at, args: ['smoke.mjs'] }, { timeout: 60_000 })
    if (!output.endsWith('answered 100\n')) throw new Failure('The calls were not answered.', { output })
    process.stdout.write(`volo-js answered 100 calls on ${suffix}, Node ${process.versions.node}\n`)
  } finally {
    rmSync(project, { recursive: true, force: true })
  }
})
