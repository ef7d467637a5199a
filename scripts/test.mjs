#!/usr/bin/env node
/**
 * npm test [-- SUITE...]
 *
 * Every check there is, from a fresh clone: sets up what is missing, runs the suites (two at a time: one with cargo, one with Node), prints a line
 * for each, and at the end `N passed, N failed`. With names, only those suites and what they need.
 * The exit code is 1 if something failed or nothing ran. Something that cannot be had here is a failure, with the reason.
 */
import { rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import process from 'node:process'

import { parseCommandLine } from './lib/command-line.mjs'
import { room, spaceIsShort } from './lib/machine.mjs'
import { Failure, runMain } from './lib/process.mjs'
import { suites } from './lib/suites.mjs'
import { bold, dim, green, red, time } from './lib/terminal.mjs'

/** @typedef {import('./lib/suites.mjs').Suite} Suite */
/** @typedef {import('./lib/suites.mjs').Outcome & { ms: number }} Result */

/** What a suite has built is removed as soon as it has passed: the next run builds it anew, but all of it is never there at once. */
const tidies = process.env.VOLO_TIDY === '1'

/**
 * The suites that are asked for and all they need.
 * @param {readonly string[]} names
 */
function choose(names) {
  if (names.length === 0) return suites
  /** @type {Set<string>} */
  const chosen = new Set()
  /** @param {string} name */
  const add = (name) => {
    const suite = suites.find((candidate) => candidate.name === name)
    if (suite === undefined) {
      const known = suites.map((candidate) => candidate.name).join(', ')
      throw new Failure(`There is no suite ${name}; there are ${known}.`, { exitCode: 2 })
    }
    chosen.add(name)
    suite.needs.forEach(add)
  }
  names.forEach(add)
  return suites.filter((suite) => chosen.has(suite.name))
}

/**
 * @param {Suite} suite
 * @returns {Promise<Result>}
 */
async function perform(suite) {
  const start = performance.now()
  try {
    const outcome = await suite.run()
    if (tidies && outcome.failed === 0)
      suite.builds?.().forEach((folder) => rmSync(folder, { recursive: true, force: true }))
    return { ...outcome, output: withSpace(outcome), ms: performance.now() - start }
  } catch (error) {
    const output = error instanceof Failure ? error.output : ''
    const reason = error instanceof Failure ? error.message : error instanceof Error ? error.stack : String(error)
    const failed = { failed: 1, output: `${output}\n${reason}`.trim() }
    return { passed: 0, ...failed, output: withSpace(failed), ms: performance.now() - start }
  }
}

/**
 * The output, with what space there is where that may be why it failed.
 * @param {{ failed: number, output: string }} outcome
 */
function withSpace({ failed, output }) {
  const told = failed > 0 ? spaceIsShort(output) : ''
  return told === '' || output.includes(told) ? output : `${output.trimEnd()}\n${told}`
}

/**
 * @param {Suite} suite
 * @param {Result} result
 */
function print(suite, result) {
  const counts = suite.preparation && result.failed === 0 ? 'ready' : `${result.passed} passed`
  const failed = result.failed > 0 ? red(`, ${result.failed} failed`) : ''
  const skipped = result.skipped ? dim(`, ${result.skipped} skipped`) : ''
  const remark = result.remark ? dim(`, ${result.remark}`) : ''
  const mark = result.failed > 0 ? red('✘') : green('✔')
  const name = `${suite.name.padEnd(12)} ${dim(suite.title.padEnd(25))}`
  process.stdout.write(`${mark} ${name} ${counts}${failed}${skipped}${remark} ${dim(`(${time(result.ms)})`)}\n`)
  if (result.failed > 0) process.stdout.write(`${result.output.trimEnd().replace(/^/gm, '  ')}\n`)
}

/** Lines of a runner's output that name what failed: TAP's, cargo's, a checker's. */
const NAMES_A_FAILURE = /^\s*not ok \d|^\s*test .* \.\.\. FAILED|panicked at |^\s*✘|^\s*error(\[\w+\])?:/

/** Lines of one suite in the recapitulation at most. */
const RECAPITULATED = 40

/**
 * What failed, by name: whoever reads but the end of a long log still learns it.
 * @param {string} name
 * @param {Result} result
 */
function recapitulate(name, { failed, output }) {
  const lines = output.split('\n').filter((line) => NAMES_A_FAILURE.test(line))
  // Without a line that names it, the end of the output is the reason.
  const told =
    lines.length > 0 ? [...new Set(lines.map((line) => line.trim()))] : output.trimEnd().split('\n').slice(-3)
  const left = told.length - RECAPITULATED
  const shown = told.slice(0, RECAPITULATED).map((line) => `    ${line.slice(0, 300)}\n`)
  process.stdout.write(`${red('✘')} ${name}: ${failed} failed\n${shown.join('')}`)
  if (left > 0) process.stdout.write(dim(`    and ${left} more lines above\n`))
}

/**
 * Runs suites as soon as what they need is there, one a lane at a time.
 * @param {readonly Suite[]} chosen
 * @returns {Promise<Map<string, Result>>}
 */
async function runAll(chosen) {
  /** @type {Map<string, Result>} */
  const results = new Map()
  const waiting = new Set(chosen)
  /** @type {Map<string, Promise<void>>} */
  const lanes = new Map()

  while (waiting.size > 0 || lanes.size > 0) {
    for (const suite of waiting) {
      const missing = suite.needs.find((name) => (results.get(name)?.failed ?? 0) > 0)
      if (missing !== undefined) {
        waiting.delete(suite)
        const result = { passed: 0, failed: 1, output: `Not run: it needs ${missing}, which failed.`, ms: 0 }
        results.set(suite.name, result)
        print(suite, result)
      } else if (!lanes.has(suite.lane) && suite.needs.every((name) => results.has(name))) {
        waiting.delete(suite)
        const running = perform(suite).then((result) => {
          lanes.delete(suite.lane)
          results.set(suite.name, result)
          print(suite, result)
        })
        lanes.set(suite.lane, running)
      }
    }
    if (lanes.size > 0) await Promise.race(lanes.values())
  }
  return results
}

const usage = `npm test [-- SUITE...]

Every check there is, or those of these suites and what they need:
${suites.map(({ name, title }) => `  ${name.padEnd(12)} ${title}`).join('\n')}`

await runMain(async () => {
  const chosen = choose(parseCommandLine(usage, { allowPositionals: true }).positionals)
  process.stdout.write(`${dim(`${room()}, ${availableParallelism()} CPUs`)}\n`)
  const start = performance.now()
  const results = await runAll(chosen)
  let passed = 0
  let failed = 0
  for (const suite of chosen) {
    const result = results.get(suite.name)
    if (result === undefined) continue
    if (!suite.preparation) passed += result.passed
    failed += result.failed
  }
  if (failed > 0) {
    process.stdout.write('\nWhat failed:\n')
    for (const [name, result] of results) if (result.failed > 0) recapitulate(name, result)
  }
  process.stdout.write(`\n${dim(`after ${time(performance.now() - start)}`)}\n`)
  process.stdout.write(`${bold(`${passed} passed, ${failed} failed`)}\n`)
  if (failed > 0 || passed === 0) process.exitCode = 1
})
