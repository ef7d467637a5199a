#!/usr/bin/env node
/**
 * npm start
 *
 * From a fresh clone to a measured server: sets up what is missing, starts the ItemService of examples/ in a process of its own, calls it over a
 * socket, and puts load on it for five seconds.
 */
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { inspect } from 'node:util'
import { pathToFileURL } from 'node:url'

import { built } from './lib/built.mjs'
import { parseCommandLine } from './lib/command-line.mjs'
import { exampleCommand } from './lib/example.mjs'
import { root } from './lib/paths.mjs'
import { canPin, Failure, pinned, runMain, ServerProcess } from './lib/process.mjs'
import { setupWithLines } from './lib/setup.mjs'
import { bold, count, dim, Progress, table } from './lib/terminal.mjs'

const SECONDS = 5
const IN_FLIGHT = 128

/** @param {string} address */
async function callOnce(address) {
  const { Client } = await built('dist/bundle/thrift/index.js')
  const { ItemService } = await built('examples/volo-gen/index.js')
  const client = Client.of(ItemService, 'item').address(address).build()
  const before = performance.now()
  const reply = await client.getItem({ id: 1024n })
  const ms = performance.now() - before
  await Client.close(client)
  return { reply, ms }
}

/**
 * @typedef {object} LoadResult
 * @property {number} calls
 * @property {number} wrong
 * @property {number} rate
 * @property {number} p50 µs
 * @property {number} p99 µs
 */

/**
 * @param {ServerProcess} server
 * @returns {Promise<LoadResult & { cpu: number }>} `cpu`: µs of the server's CPU time a request
 */
async function load(server) {
  const { command, args } = pinned(1, {
    command: process.execPath,
    args: [
      join(root, 'scripts', 'lib', 'load-client.mjs'),
      ...['--address', server.address, '--pipelined', `${IN_FLIGHT}`, '--seconds', `${SECONDS}`],
    ],
  })
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const progress = new Progress()
  /** @type {LoadResult | undefined} */
  let result
  let cpuBefore = 0
  let cpuAfter = 0
  for await (const line of createInterface({ input: /** @type {import('node:stream').Readable} */ (child.stdout) })) {
    const message = JSON.parse(line)
    if (message.event === 'measuring') cpuBefore = await cpuTime(server)
    if (message.event === 'progress') {
      progress.update(`load    ${message.seconds.toFixed(0)} of ${SECONDS} s: ${count(message.rate)} requests/s`)
    }
    if (message.event === 'result') {
      cpuAfter = await cpuTime(server)
      result = message
    }
  }
  progress.done()
  if (result === undefined) throw new Failure('The load client ended without a result.')
  if (result.wrong > 0) throw new Failure(`${result.wrong} of ${result.calls} replies were wrong.`)
  return { ...result, cpu: (cpuAfter - cpuBefore) / result.calls }
}

/** @param {ServerProcess} server */
async function cpuTime(server) {
  return /** @type {{ cpu: number }} */ (await server.ask('usage')).cpu
}

const usage = `npm start

Sets up what is missing, starts a server, calls it, and puts load on it for ${SECONDS} seconds. It takes no arguments.`

await runMain(async () => {
  parseCommandLine(usage, {})
  await setupWithLines('release')
  const cpus = availableParallelism()
  process.stdout.write(dim(`Node ${process.version}, ${process.platform} ${process.arch}, ${cpus} CPUs\n`))

  const hook = pathToFileURL(join(root, 'scripts', 'lib', 'usage-hook.mjs')).href
  const command = exampleCommand('item-thrift-server', { port: 0, nodeArgs: ['--import', hook] })
  const server = await ServerProcess.start(pinned(0, command), { ipc: true })
  try {
    process.stdout.write(`server  ItemService on ${server.address}${canPin ? dim(', held to CPU 0') : ''}\n`)
    const { reply, ms } = await callOnce(server.address)
    process.stdout.write(
      `client  getItem({ id: 1024n }) → ${inspect(reply, { breakLength: 100 })} ${dim(`${ms.toFixed(1)} ms`)}\n`,
    )
    process.stdout.write(
      `load    ${IN_FLIGHT} calls in flight on one connection, ${SECONDS} s${canPin ? dim(', held to CPU 1') : ''}\n`,
    )
    const result = await load(server)
    const rows = [
      ['requests/s', bold(count(result.rate))],
      ['p50', `${count(result.p50)} µs`],
      ['p99', `${count(result.p99)} µs`],
      ["server's CPU a request", `${result.cpu.toFixed(2)} µs`],
      ['reactor', server.remark.replace(/[()]/g, '') || 'inline'],
    ]
    process.stdout.write(`\n${table(rows)}\n`)
  } finally {
    await server.stop()
  }
})
