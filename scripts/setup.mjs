#!/usr/bin/env node
/**
 * npm run setup [-- [--profile release|fast] [STEP...]]
 *
 * Everything a fresh clone needs: dependencies, the Rust addon, TypeScript, generated code of the examples. What is up to date is skipped.
 * `--profile fast` builds the addon in a fraction of the time and nearly as fast. With steps, only those:
 * dependencies, addon, typescript, generated.
 *
 * `VOLO_ADDON=FILE` makes everything use another binary and skips building one.
 */
import process from 'node:process'

import { parseCommandLine } from './lib/command-line.mjs'
import { Failure, runMain } from './lib/process.mjs'
import { setupWithLines, steps } from './lib/setup.mjs'
import { time } from './lib/terminal.mjs'

const usage = `npm run setup [-- [--profile release|fast] [STEP...]]

Everything a fresh clone needs; what is up to date is skipped.
Steps: ${steps.map((step) => step.name).join(', ')}. All of them if none is named.
--profile  of the Rust addon: release (the default), or fast, which builds in a fraction of the time`

await runMain(async () => {
  const { values, positionals } = parseCommandLine(usage, {
    options: { profile: { type: 'string', default: 'release' } },
    allowPositionals: true,
  })
  const { profile } = values
  if (profile !== 'release' && profile !== 'fast') {
    throw new Failure(`There is no profile ${profile}; use release or fast.`, { exitCode: 2 })
  }
  const names = steps.map((step) => step.name)
  const unknown = positionals.find((name) => !names.includes(name))
  if (unknown !== undefined) {
    throw new Failure(`There is no step ${unknown}; there are ${names.join(', ')}.`, { exitCode: 2 })
  }
  const start = performance.now()
  const done = await setupWithLines(profile, positionals.length > 0 ? positionals : undefined)
  process.stdout.write(done === 0 ? 'Everything is up to date.\n' : `Ready after ${time(performance.now() - start)}.\n`)
})
