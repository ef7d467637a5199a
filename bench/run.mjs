#!/usr/bin/env node
/**
 * npm run bench -- SUITE [--rounds N] [--seconds S] [--only GROUP]... [--soak MINUTES] [--runtime NAME] [--server-cpus LIST --load-cpus LIST]
 *     [--json FILE]
 *
 * Suites: thrift and grpc (server and client against their peers, over TCP), runtimes (Tokio and Monoio beside the isolate's own loop), scale (two isolates
 * against one), codec (readers and writers), boundary (JavaScript to Rust), layers (what a layer costs), profile (where the CPU time goes, as a
 * flame graph; with `--runtime tokio` or `monoio` that of two I/O threads and 256 connections).
 *
 * Servers run on CPU 0, load comes from CPU 1. Contestants take turns for N rounds (default 3) of S seconds (default 3); ratios are of rounds side
 * by side, the table shows their median, least and most. Results go to bench/results/ as JSON and SVG, and as JSON to FILE.
 * `--only` runs only a group, and the rows of the others stay in the file as they were: of `thrift` (throughput, content, wires, echo, proxy,
 * latency, client, memory, startup, soak), `grpc` (unary, streaming, taps, latency, client, memory, codec, attacks), `runtimes` (cost, pair, kernel) or `scale` (isolates,
 * restart). `--soak` adds a run of so many minutes that watches the server's memory.
 *
 * `thrift --server-cpus 0-3 --load-cpus 4-7` measures something else: every runtime on those CPUs, requests a second in all and a CPU, beside the
 * figures that Volo names. Its results are called `cores`.
 *
 * The exit code is 1 if something could not be measured or a reply was wrong; a target that is missed shows as `short` and is no error.
 */
import process from 'node:process'

import { parseCommandLine } from '../scripts/lib/command-line.mjs'
import { canPin, Failure, runMain } from '../scripts/lib/process.mjs'
import { setupWithLines } from '../scripts/lib/setup.mjs'
import { Progress, yellow } from '../scripts/lib/terminal.mjs'
import { placement } from './lib/cpus.mjs'
import { describeMachine } from './lib/machine.mjs'
import { RUNTIMES } from './lib/runtimes.mjs'
import { merged, printTable, writeFiles, written } from './lib/report.mjs'

const SUITES = ['thrift', 'grpc', 'runtimes', 'scale', 'codec', 'boundary', 'layers', 'profile']

/**
 * @param {string} option
 * @param {string} text
 */
function positive(option, text) {
  const value = Number(text)
  if (value > 0 && Number.isFinite(value)) return value
  throw new Failure(`--${option} takes a number above 0, not ${text}.`, { exitCode: 2 })
}

const usage = `npm run bench -- SUITE [--rounds N] [--seconds S] [--only GROUP]... [--soak MINUTES]
                          [--runtime NAME] [--server-cpus LIST --load-cpus LIST] [--json FILE]

Suites: thrift    server and client against their peers, over TCP
        grpc      the same for gRPC, and messages of Protobuf
        runtimes  Tokio and Monoio on I/O threads beside the isolate's own loop
        scale     two isolates against one, servers replaced under load
        codec     readers and writers of messages
        boundary  what crossing from JavaScript to Rust costs
        layers    what a layer costs
        profile   where the CPU time goes, as a flame graph

Contestants take turns for N rounds (default 3) of S seconds (default 3), the server on CPU 0, the load on CPU 1.
--runtime  with profile: inline (the default), tokio or monoio; those with two I/O threads and 256 connections
--only  one group of thrift (throughput, content, wires, echo, proxy, latency, client, memory, startup, soak), grpc (unary,
        streaming, taps, latency, client, memory, codec, attacks), runtimes (cost, pair, kernel) or scale (isolates, restart); may be repeated
--soak  minutes of full load that watch the server's memory
--server-cpus, --load-cpus  with thrift: requests a second of every runtime on these CPUs, such as 0-3, and a CPU
--json  also write the result to FILE; bench/results/ has it anyway, as JSON and SVG`

/** The command line. */
function options() {
  const { values, positionals } = parseCommandLine(usage, {
    options: {
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '3' },
      soak: { type: 'string' },
      only: { type: 'string', multiple: true },
      json: { type: 'string' },
      runtime: { type: 'string' },
      'server-cpus': { type: 'string' },
      'load-cpus': { type: 'string' },
    },
    allowPositionals: true,
  })
  const [suite, ...rest] = positionals
  if (suite === undefined || rest.length > 0 || !SUITES.includes(suite)) {
    throw new Failure(usage, { exitCode: 2 })
  }
  const cpus = placement(values['server-cpus'], values['load-cpus'])
  if (cpus !== undefined && suite !== 'thrift') {
    throw new Failure('--server-cpus and --load-cpus are for the suite thrift.', { exitCode: 2 })
  }
  const runtime = RUNTIMES.find((name) => name === (values.runtime ?? 'inline'))
  if (runtime === undefined || (values.runtime !== undefined && suite !== 'profile')) {
    throw new Failure(`--runtime is for the suite profile, and takes ${RUNTIMES.join(', ')}.`, { exitCode: 2 })
  }
  return {
    runtime,
    // Where it runs is another question than how it compares.
    suite: cpus === undefined ? suite : 'cores',
    placement: cpus,
    rounds: Math.ceil(positive('rounds', values.rounds)),
    seconds: positive('seconds', values.seconds),
    soak: values.soak === undefined ? undefined : positive('soak', values.soak),
    only: values.only,
    json: values.json,
  }
}

/**
 * The groups of a suite that has some.
 * @param {string} suite
 * @returns {Promise<Record<string, (settings: import('./lib/suites/thrift.mjs').Settings) => Promise<import('./lib/row.mjs').Row[]>> | undefined>}
 */
async function groupsOf(suite) {
  if (suite === 'thrift') return (await import('./lib/suites/thrift.mjs')).groups
  if (suite === 'grpc') return (await import('./lib/suites/grpc.mjs')).groups
  if (suite === 'runtimes') return (await import('./lib/suites/runtimes.mjs')).groups
  if (suite === 'scale') return (await import('./lib/suites/scale.mjs')).groups
  return undefined
}

/**
 * @param {ReturnType<typeof options>} chosen
 * @param {(text: string) => void} progress
 * @returns {Promise<import('./lib/row.mjs').Row[]>}
 */
async function measure({ suite, placement, rounds, seconds, soak, only, runtime }, progress) {
  const settings = { rounds, seconds, progress, ...(soak === undefined ? {} : { soak }) }
  // Imported when chosen: a suite needs peers that another does not.
  if (suite === 'boundary') return (await import('./lib/suites/boundary.mjs')).boundary(settings)
  if (suite === 'profile') return (await import('./lib/suites/profile.mjs')).profile({ ...settings, runtime })
  if (placement !== undefined) return (await import('./lib/suites/cores.mjs')).cores({ ...settings, placement })
  const groups = await groupsOf(suite)
  if (groups === undefined) return (await import('./lib/suites/scripts.mjs')).programSuite(suite, settings)

  const unknown = only?.find((name) => !(name in groups))
  if (unknown !== undefined) {
    throw new Failure(`${suite} has no group ${unknown}; there are ${Object.keys(groups).join(', ')}.`, { exitCode: 2 })
  }
  if (only?.includes('soak') && soak === undefined) {
    throw new Failure('The group soak needs --soak MINUTES.', { exitCode: 2 })
  }
  /** @type {import('./lib/row.mjs').Row[]} */
  const rows = []
  for (const [name, group] of Object.entries(groups)) {
    const wanted = only === undefined ? name !== 'soak' || soak !== undefined : only.includes(name)
    if (wanted) rows.push(...(await group(settings)).map((row) => ({ ...row, group: name })))
  }
  return rows
}

await runMain(async () => {
  const chosen = options()
  await setupWithLines('release')
  if (!canPin) {
    process.stdout.write(yellow('Programs cannot be held to CPUs here (taskset and two CPUs): figures vary more.\n'))
  }
  const progress = new Progress()
  let rows
  try {
    rows = await measure(chosen, (text) => progress.update(text))
  } finally {
    progress.done()
  }
  printTable(rows)
  const { rounds, seconds } = chosen
  const suite = chosen.runtime === 'inline' ? chosen.suite : `${chosen.suite}-${chosen.runtime}`
  const result = { suite, machine: describeMachine(), settings: { rounds, seconds }, rows }
  const groups = chosen.only === undefined ? undefined : await groupsOf(chosen.suite)
  // What was not measured now keeps its place.
  const all = groups === undefined ? rows : merged(result, written(suite), Object.keys(groups))
  writeFiles({ ...result, rows: all }, chosen.json)
})
