#!/usr/bin/env node
/**
 * node tests/interop/apache/matrix.mjs [--write] [--only PATTERN]
 *
 * Apache Thrift's cross tests: our server against Apache's clients in Python, Go and for Node, our client against their servers, over every protocol,
 * framing and kind of connection. Prints a table, what failed and why, and `N passed, N failed`. Cells that the other side cannot do are named in
 * `cells.mjs`; they count as neither.
 *
 * What was found has to be what docs/interop.md says; `--write` writes it there. `--only` takes cells whose name fits (`'Go.*, json'`), and leaves the
 * page alone.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'

import { root } from '../../../scripts/lib/paths.mjs'
import { Failure, runMain } from '../../../scripts/lib/process.mjs'
import { Progress, bold, red } from '../../../scripts/lib/terminal.mjs'
import { allCells, excuses, nameOf } from './cells.mjs'
import { page } from './page.mjs'
import { perform } from './perform.mjs'
import { tables } from './tables.mjs'

/** @typedef {import('./cells.mjs').Cell} Cell */
/** @typedef {import('./perform.mjs').Outcome} Outcome */

const PAGE = 'docs/interop.md'

/** Lines of a failed cell's output that are shown. */
const SHOWN = 8

/**
 * Performs cells, as many at once as there are cores, and gives each its outcome; none where it is excused.
 * @param {readonly Cell[]} cells
 * @returns {Promise<Map<Cell, Outcome>>}
 */
async function performAll(cells) {
  const folder = mkdtempSync(join(tmpdir(), 'volo-'))
  const progress = new Progress()
  /** @type {Map<Cell, Outcome>} */
  const outcomes = new Map()
  const wanted = cells.filter((cell) => !excuses.some(({ covers }) => covers(cell)))
  const waiting = wanted.values()
  const work = async () => {
    for (const cell of waiting) {
      progress.update(`${outcomes.size + 1} of ${wanted.length}: ${nameOf(cell)}`)
      outcomes.set(cell, await perform(cell, join(folder, `${wanted.indexOf(cell)}`)))
    }
  }
  try {
    await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, work))
  } finally {
    progress.done()
    rmSync(folder, { recursive: true })
  }
  return outcomes
}

await runMain(async () => {
  const { values } = parseArgs({ options: { write: { type: 'boolean', default: false }, only: { type: 'string' } } })
  const pattern = new RegExp(values.only ?? '')
  const cells = allCells().filter((cell) => pattern.test(nameOf(cell)))
  const outcomes = await performAll(cells)

  process.stdout.write(`${tables(cells, outcomes)}\n\n`)
  let passed = 0
  let failed = 0
  for (const [cell, { ok, output }] of outcomes) {
    if (ok) passed++
    else {
      failed++
      const lines = output.trim().split('\n').slice(-SHOWN).join('\n')
      process.stdout.write(`${red('✘')} ${nameOf(cell)}\n${lines.replace(/^/gm, '    ')}\n`)
    }
  }
  if (values.only === undefined) {
    const file = join(root, PAGE)
    const found = page(cells, outcomes)
    if (values.write) writeFileSync(file, found)
    else if (!existsSync(file) || readFileSync(file, 'utf8') !== found) {
      failed++
      process.stdout.write(`${red('✘')} ${PAGE} says something else; --write makes it say this.\n`)
    }
  }
  process.stdout.write(`${bold(`${passed} passed, ${failed} failed`)}\n`)
  if (outcomes.size === 0) throw new Failure(`No cell is named like ${values.only}.`, { exitCode: 2 })
  if (failed > 0) process.exitCode = 1
})
