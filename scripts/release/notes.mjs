#!/usr/bin/env node
/**
 * node scripts/release/notes.mjs VERSION
 *
 * Prints what CHANGELOG.md says of a version (`v1.2.3` or `1.2.3`), after checking that package.json and Cargo.toml are of that version.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'

import { notesOf } from '../lib/changelog.mjs'
import { root } from '../lib/paths.mjs'
import { Failure, runMain } from '../lib/process.mjs'

/** @param {string} file */
const text = (file) => readFileSync(join(root, file), 'utf8')

await runMain(async () => {
  const version = process.argv[2]?.replace(/^v/, '')
  if (version === undefined) throw new Failure('Name a version: node scripts/release/notes.mjs 1.2.3', { exitCode: 2 })
  const versions = {
    'package.json': JSON.parse(text('package.json')).version,
    'Cargo.toml': /^version = "(.*)"$/m.exec(text('Cargo.toml'))?.[1],
    'js/build/version.ts': /VERSION = '(.*)'/.exec(text('js/build/version.ts'))?.[1],
  }
  for (const [file, found] of Object.entries(versions)) {
    if (found !== version) throw new Failure(`${file} has version ${found}, not ${version}: set it before the release.`)
  }
  const notes = notesOf(text('CHANGELOG.md'), version)
  if (notes === undefined) {
    throw new Failure(
      `CHANGELOG.md says nothing of ${version}: give what is under Unreleased the heading "## ${version} - DATE".`,
    )
  }
  process.stdout.write(`${notes}\n`)
})
