/** Results as a table, and as files. */
import { mkdirSync, writeFileSync } from 'node:fs'
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
  const written = [`bench/results/${result.suite}.json`]
  // A picture shows how far from its target a row is.
  if (result.rows.some((row) => row.target !== undefined)) {
    writeFileSync(join(folder, `${result.suite}.svg`), chart(result))
    written.push(`bench/results/${result.suite}.svg`)
  }
  if (file !== undefined) {
    writeFileSync(file, json)
    written.push(file)
  }
  process.stdout.write(`\n${dim(written.join(', '))}\n`)
}
