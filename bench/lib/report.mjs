/** Results as a table, and as files. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'

import { root } from '../../scripts/lib/paths.mjs'
import { bold, dim, green, table, yellow } from '../../scripts/lib/terminal.mjs'
import { chart } from './chart.mjs'
import { figure, judged, targetText } from './row.mjs'

/** @typedef {import('./row.mjs').Row} Row */

/**
 * @param {readonly Row[]} rows
 */
export function printTable(rows) {
  const verdicts = { pass: green('pass'), short: yellow('short'), info: '' }
  const head = ['', 'ours', 'peer', 'ratio', 'min', 'max', 'target', ''].map((text) => dim(text))
  const lines = rows.map((row) => [
    row.name,
    `${figure(row.ours.median)} ${dim(row.unit)}`,
    row.theirs === undefined ? '' : `${figure(row.theirs.median)} ${dim(row.peer ?? '')}`,
    row.ratio === undefined ? '' : bold(figure(row.ratio.median)),
    figure(judged(row).min),
    figure(judged(row).max),
    targetText(row),
    [verdicts[row.verdict], dim(row.remark ?? '')].join(' ').trim(),
  ])
  process.stdout.write(`\n${table([head, ...lines], { left: [7] })}\n`)
  const short = rows.filter((row) => row.verdict === 'short').length
  const judgedRows = rows.filter((row) => row.verdict !== 'info').length
  if (judgedRows > 0) process.stdout.write(`\n${judgedRows - short} of ${judgedRows} targets met\n`)
}

/**
 * The rows of a run of some groups, among those that the suite's file has of the others.
 * @param {{ machine: object, settings: object, rows: readonly Row[] }} result its rows have their groups
 * @param {{ machine: object, settings: object, rows: readonly Row[] } | undefined} before what the file holds
 * @param {readonly string[]} groups of the suite, in order
 * @returns {Row[]} those of which the file does not tell the group come first
 */
export function merged(result, before, groups) {
  const measured = new Set(result.rows.map((row) => row.group))
  const names = new Set(result.rows.map((row) => row.name))
  const kept = (before?.rows ?? [])
    .filter((row) => (row.group === undefined ? !names.has(row.name) : !measured.has(row.group)))
    // Where and when they were measured, for it may have been another day.
    .map((row) => ({ ...row, run: row.run ?? { machine: before?.machine ?? {}, settings: before?.settings ?? {} } }))
  return [undefined, ...groups].flatMap((group) => [...result.rows, ...kept].filter((row) => row.group === group))
}

/**
 * What the file of a suite holds.
 * @param {string} suite
 * @returns {{ machine: object, settings: object, rows: readonly Row[] } | undefined}
 */
export function written(suite) {
  const file = join(root, 'bench', 'results', `${suite}.json`)
  if (!existsSync(file)) return undefined
  return /** @type {{ machine: object, settings: object, rows: readonly Row[] }} */ (
    JSON.parse(readFileSync(file, 'utf8'))
  )
}

/**
 * Writes `bench/results/SUITE.json`, a chart beside it where rows have targets, and the JSON to a further file if one is asked for.
 * @param {object} result
 * @param {string} result.suite
 * @param {object} result.machine
 * @param {object} result.settings
 * @param {readonly Row[]} result.rows
 * @param {string | undefined} file
 */
export function writeFiles(result, file) {
  const folder = join(root, 'bench', 'results')
  mkdirSync(folder, { recursive: true })
  const json = `${JSON.stringify(result, undefined, 2)}\n`
  writeFileSync(join(folder, `${result.suite}.json`), json)
  const files = [`bench/results/${result.suite}.json`]
  // A picture shows how far from its target a row is.
  if (result.rows.some((row) => row.target !== undefined)) {
    writeFileSync(join(folder, `${result.suite}.svg`), chart(result))
    files.push(`bench/results/${result.suite}.svg`)
  }
  if (file !== undefined) {
    writeFileSync(file, json)
    files.push(file)
  }
  process.stdout.write(`\n${dim(files.join(', '))}\n`)
}
