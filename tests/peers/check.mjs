#!/usr/bin/env node
/**
 * node tests/peers/check.mjs
 *
 * Lets the peers talk to each other: every client calls every server it can, over framed and buffered, and the load generator checks every
 * ItemService. What passes here is known good when something else fails against it. Prints a line each and `N passed, N failed`.
 */
import process from 'node:process'

import { nodeThriftPeer, peer, pythonPeer } from '../../scripts/peers.mjs'
import { run, runMain, ServerProcess } from '../../scripts/lib/process.mjs'

/** @typedef {import('../../scripts/lib/process.mjs').Command} Command */

/** Milliseconds that one client may take. */
const TIMEOUT = 120_000

/**
 * @param {Command} command
 * @param {readonly string[]} args
 * @returns {Command}
 */
const plus = (command, ...args) => ({ ...command, args: [...command.args, ...args] })

/** What peers cannot do with each other, as `--skip`. */
const SKIP = {
  'volo → python': 'uuid,reserved',
  'volo → npm': 'uuid,reserved,keys,proto,zero',
  'python → npm': 'keys,proto,zero',
}

let passed = 0
let failed = 0

/**
 * Starts the server, runs the client with its port, and says how it went.
 * @param {string} name
 * @param {Command} server
 * @param {Command} client
 */
async function pair(name, server, client) {
  const listening = await ServerProcess.start(plus(server, '--port', '0'))
  const { code, output } = await run(plus(client, '--port', `${listening.port}`), { timeout: TIMEOUT })
  await listening.stop()
  if (code === 0) passed++
  else failed++
  process.stdout.write(`${code === 0 ? '✔' : '✘'} ${name}: ${output.trim().slice(-2000)}\n`)
}

async function everything() {
  const volo = await peer('volo')
  const servers = {
    volo: plus(volo, 'everything-server'),
    python: await pythonPeer('everything-server'),
    npm: await nodeThriftPeer('everything-server'),
  }
  const clients = {
    volo: plus(volo, 'everything-client'),
    python: await pythonPeer('everything-client'),
    npm: await nodeThriftPeer('everything-client'),
  }
  for (const transport of ['framed', 'buffered']) {
    const chosen = ['--transport', transport]
    for (const [from, client] of Object.entries(clients)) {
      for (const [to, server] of Object.entries(servers)) {
        const skip = /** @type {Record<string, string>} */ (SKIP)[`${from} → ${to}`]
        await pair(
          `${from} → ${to}, ${transport}`,
          // Volo's server finds the transport out by itself.
          to === 'volo' ? server : plus(server, ...chosen),
          plus(client, ...chosen, ...(skip === undefined ? [] : ['--skip', skip])),
        )
      }
    }
  }
  await pair('volo → volo, ttheader', servers.volo, plus(clients.volo, '--transport', 'ttheader'))
  for (const [protocol, skip] of [
    ['compact', ''],
    ['json', 'keys,infinity'],
  ]) {
    const chosen = ['--protocol', protocol]
    await pair(
      `python → python, ${protocol}`,
      plus(servers.python, ...chosen),
      plus(clients.python, ...chosen, '--skip', skip),
    )
  }
}

async function items() {
  const volo = await peer('volo')
  const servers = {
    raw: await peer('raw'),
    volo: plus(volo, 'item-server'),
    npm: await nodeThriftPeer('item-server'),
  }
  const load = plus(await peer('load'), '--connections', '8', '--depth', '8', '--seconds', '1')
  const clients = {
    'load, open loop': plus(load, '--rate', '2000'),
    volo: plus(volo, 'item-client', '--inflight', '8', '--seconds', '1'),
    npm: plus(await nodeThriftPeer('item-client'), '--inflight', '8', '--seconds', '1'),
  }
  for (const [to, server] of Object.entries(servers)) {
    for (const size of ['0', '20', '100000']) {
      const chosen = ['--content-size', size]
      await pair(`load → ${to}, ${size} bytes`, plus(server, ...chosen), plus(load, ...chosen))
    }
    for (const [from, client] of Object.entries(clients)) await pair(`${from} → ${to}`, server, client)
  }
}

await runMain(async () => {
  await everything()
  await items()
  process.stdout.write(`${passed} passed, ${failed} failed\n`)
  if (failed > 0) process.exitCode = 1
})
