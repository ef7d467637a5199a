#!/usr/bin/env node
/**
 * node scripts/outfit.mjs [NAME...]
 *
 * Gets what the packages are tested in, without names all of it: `nodes` (the versions of Node), `runners` (Jest and Vitest), `roots` (bare
 * Debian systems) and `tools` (what lists the crates). It is kept in `VOLO_CACHE` or `~/.cache/volo-js`; what is there is not fetched again.
 */
import process from 'node:process'

import { cargoTool } from './lib/cargo-tool.mjs'
import { LINES, nodeOf } from './lib/nodes.mjs'
import { Failure, runMain } from './lib/process.mjs'
import { debianRoot, RELEASES } from './lib/roots.mjs'
import { runner, RUNNERS } from './lib/runners.mjs'

const parts = {
  nodes: () => LINES.map(nodeOf),
  runners: () => RUNNERS.map(runner),
  roots: () => RELEASES.map(debianRoot),
  tools: () => [cargoTool('cargo-cyclonedx')],
}

await runMain(async () => {
  const names = /** @type {(keyof typeof parts)[]} */ (Object.keys(parts))
  const asked = process.argv.slice(2)
  const unknown = asked.find((name) => !Object.hasOwn(parts, name))
  if (unknown !== undefined) {
    throw new Failure(`There is no ${unknown}; there are ${names.join(', ')}.`, { exitCode: 2 })
  }
  const chosen = names.filter((name) => asked.length === 0 || asked.includes(name))
  // Side by side: they wait for the network. The first failure is told when all have ended.
  const results = await Promise.allSettled(chosen.flatMap((name) => parts[name]()))
  const failed = results.find((result) => result.status === 'rejected')
  if (failed !== undefined) throw /** @type {PromiseRejectedResult} */ (failed).reason
})
