#!/usr/bin/env node
/**
 * npm run -s example -- NAME [--port PORT] [--runtime inline|tokio|monoio] [--threads N]
 *
 * Runs a program of examples/ as if it had been started itself: its output is its own, signals reach it, its exit code is this one's.
 */
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import process from 'node:process'

import { exampleCommand, exampleNames } from './lib/example.mjs'
import { parseCommandLine } from './lib/command-line.mjs'
import { Failure, runMain } from './lib/process.mjs'
import { setup } from './lib/setup.mjs'

const RUNTIMES = ['inline', 'tokio', 'monoio']

/**
 * @param {string} option
 * @param {string | undefined} text
 * @param {number} max
 */
function wholeNumber(option, text, max) {
  if (text === undefined) return undefined
  const value = Number(text)
  if (/^\d+$/.test(text) && value <= max) return value
  throw new Failure(`--${option} takes a whole number up to ${max}, not ${text}.`, { exitCode: 2 })
}

const usage = `npm run -s example -- NAME [--port PORT] [--runtime ${RUNTIMES.join('|')}] [--threads N]

Examples: ${exampleNames().join(', ')}`

await runMain(async () => {
  const { values, positionals } = parseCommandLine(usage, {
    options: { port: { type: 'string' }, runtime: { type: 'string' }, threads: { type: 'string' } },
    allowPositionals: true,
  })
  const [name, ...rest] = positionals
  if (name === undefined || rest.length > 0) {
    throw new Failure(usage, { exitCode: 2 })
  }
  const { runtime } = values
  if (runtime !== undefined && !RUNTIMES.includes(runtime)) {
    throw new Failure(`There is no runtime ${runtime}; there are ${RUNTIMES.join(', ')}.`, { exitCode: 2 })
  }
  const port = wholeNumber('port', values.port, 65_535)
  const threads = wholeNumber('threads', values.threads, 1024)
  if (threads !== undefined && (runtime ?? 'inline') === 'inline' && threads > 0) {
    throw new Failure('--threads is for runtimes with I/O threads; the runtime inline has none.', { exitCode: 2 })
  }
  const command = exampleCommand(name, {
    ...(port === undefined ? {} : { port }),
    ...(runtime === undefined ? {} : { runtime }),
    ...(threads === undefined || threads === 0 ? {} : { threads }),
  })
  await setup({ profile: 'release', stream: false })

  const child = spawn(command.command, command.args, { stdio: 'inherit', env: { ...process.env, ...command.env } })
  for (const signal of /** @type {const} */ (['SIGTERM', 'SIGINT', 'SIGHUP'])) {
    process.on(signal, () => child.kill(signal))
  }
  child.on('error', (error) => {
    process.stderr.write(`${name} could not be started: ${error.message}\n`)
    process.exitCode = 1
  })
  child.on('close', (code, signal) => {
    process.exitCode = code ?? 128 + (signal === null ? 1 : constants.signals[signal])
  })
})
