#!/usr/bin/env node
/**
 * node scripts/release/publish.mjs TARBALL... [-- NPM-ARGUMENT...]
 *
 * Publishes tarballs in the order given (platform packages before `volo-js`, as scripts/release/packages.mjs prints them), with npm's provenance
 * where the environment offers it. A version that is there already is passed over, so that a release that broke off can be run again.
 */
import process from 'node:process'

import { Failure, must, npm, run, runMain } from '../lib/process.mjs'

await runMain(async () => {
  const separator = process.argv.indexOf('--')
  const tarballs = process.argv.slice(2, separator < 0 ? undefined : separator)
  const more = separator < 0 ? [] : process.argv.slice(separator + 1)
  if (tarballs.length === 0)
    throw new Failure('Name the tarballs that scripts/release/packages.mjs has made.', { exitCode: 2 })
  // The identity of a workflow run is what provenance attests; elsewhere npm refuses to.
  const provenance = process.env.ACTIONS_ID_TOKEN_REQUEST_URL === undefined ? [] : ['--provenance']
  for (const tarball of tarballs) {
    const { stdout } = await must({ command: 'tar', args: ['-xzOf', tarball, 'package/package.json'] })
    const { name, version } = JSON.parse(stdout)
    const there = await run(npm(['view', `${name}@${version}`, 'version', ...more]))
    if (there.code === 0 && there.stdout.trim() === version) {
      process.stdout.write(`${name} ${version} is published already\n`)
      continue
    }
    await must(npm(['publish', tarball, '--access', 'public', '--ignore-scripts', ...provenance, ...more]))
    process.stdout.write(`${name} ${version} published\n`)
  }
})
