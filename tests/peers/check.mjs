#!/usr/bin/env node
/**
 * node tests/peers/check.mjs
 *
 * Lets the peers talk to each other: every client calls every server it can, over framed and buffered, Kitex and Volo also over TTHeader in all its
 * forms; the load generator checks every ItemService; Apache's test programs call those in the next language. What passes here is known good when
 * something else fails against it. Prints a line each and `N passed, N failed`.
 */
import process from 'node:process'

import { grpcGoPeer, grpcJsPeer, kitexPeer, nodeThriftPeer, peer, pythonPeer } from '../../scripts/peers.mjs'
import { run, runMain, ServerProcess } from '../../scripts/lib/process.mjs'
import { languages, names, protocols } from '../interop/apache/cells.mjs'
import { freePort, theirs } from '../interop/apache/programs.mjs'

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
  note(name, code, output)
}

/**
 * @param {string} name
 * @param {number} code of the client
 * @param {string} output
 */
function note(name, code, output) {
  if (code === 0) passed++
  else failed++
  process.stdout.write(`${code === 0 ? '✔' : '✘'} ${name}: ${output.trim().slice(-2000)}\n`)
}

async function everything() {
  const volo = await peer('volo-fast')
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

async function estates() {
  const volo = await peer('volo-fast')
  const servers = { kitex: await kitexPeer('estate-server'), volo: plus(volo, 'estate-server') }
  const clients = { kitex: await kitexPeer('estate-client'), volo: plus(volo, 'estate-client') }
  /** @type {Record<string, readonly string[]>} */
  const skips = {
    'kitex → volo': ['--skip', 'backward,biz'],
    'volo → kitex': ['--skip', 'backward'],
  }
  for (const transport of ['framed', 'ttheader', 'ttheader-framed']) {
    for (const mux of [[], ['--mux']]) {
      const chosen = ['--transport', transport, ...mux]
      for (const [from, client] of Object.entries(clients)) {
        for (const [to, server] of Object.entries(servers)) {
          // Kitex has no multiplexed calls without a header.
          if (transport === 'framed' && mux.length > 0 && (from === 'kitex' || to === 'kitex')) continue
          const skip = skips[`${from} → ${to}`] ?? []
          const name = `${from} → ${to}, ${transport}${mux.length > 0 ? ', multiplexed' : ''}`
          await pair(name, plus(server, ...chosen), plus(client, ...chosen, ...skip))
        }
      }
    }
    const compact = ['--transport', transport, '--protocol', 'compact']
    const skip = ['--skip', 'echo,turn']
    await pair(
      `volo → volo, ${transport}, compact`,
      plus(servers.volo, ...compact),
      plus(clients.volo, ...compact, ...skip),
    )
  }
}

async function items() {
  const volo = await peer('volo-fast')
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

/** Cases of gRPC's interoperability tests that both clients have. */
const CASES = [
  ...['empty_unary', 'large_unary', 'client_streaming', 'server_streaming', 'ping_pong', 'empty_stream'],
  ...['timeout_on_sleeping_server', 'cancel_after_begin', 'cancel_after_first_response', 'custom_metadata'],
  ...['status_code_and_message', 'special_status_message', 'unimplemented_method', 'unimplemented_service'],
]

async function grpc() {
  const go = plus(await grpcGoPeer('interop-client'), '--server_host', '127.0.0.1')
  const js = await grpcJsPeer('interop-client')
  const servers = {
    // It tells where it listens at this level only.
    'grpc-go': { ...(await grpcGoPeer('interop-server')), env: { GRPC_GO_LOG_SEVERITY_LEVEL: 'info' } },
    'grpc-js': await grpcJsPeer('interop-server'),
  }
  for (const [to, server] of Object.entries(servers)) {
    for (const name of CASES) {
      // The official programs take one case a run, and call their port otherwise.
      const listening = await ServerProcess.start(plus(server, '--port', '0'))
      const runs = {
        'grpc-go': plus(go, '--server_port', `${listening.port}`, '--test_case', name),
        'grpc-js': plus(js, '--port', `${listening.port}`, '--case', name),
      }
      for (const [from, client] of Object.entries(runs)) {
        const { code, output } = await run(client, { timeout: TIMEOUT })
        note(`${from} → ${to}, ${name}`, code, output)
      }
      await listening.stop()
    }
  }
  const load = plus(await peer('grpc-load'), '--connections', '4', '--depth', '4', '--seconds', '0.5')
  for (const [to, server] of [
    ['grpc-go', await grpcGoPeer('item-server')],
    ['grpc-js', await grpcJsPeer('item-server')],
  ]) {
    for (const method of ['GetItem', 'StreamItems']) {
      await pair(`grpc-load → ${to}, ${method}`, server, plus(load, '--method', method))
    }
  }
}

async function apache() {
  for (const protocol of protocols) {
    for (const [n, language] of languages.entries()) {
      const next = languages[(n + 1) % languages.length]
      const address = { port: await freePort() }
      const talk = /** @type {const} */ ({ ours: 'server', protocol, multiplexed: false, channel: 'plain', transport: 'framed' })
      const server = await theirs({ ...talk, language: next }, 'server', address)
      const listening = await ServerProcess.start(server, { reach: { ...address, host: '127.0.0.1' } })
      const client = await theirs({ ...talk, language }, 'client', address)
      const { code, output } = await run(client, { timeout: TIMEOUT })
      await listening.stop(500)
      note(`Apache's ${names[language]} → ${names[next]}, ${protocol}`, code, code === 0 ? '' : output)
    }
  }
}

await runMain(async () => {
  await everything()
  await estates()
  await items()
  await apache()
  await grpc()
  process.stdout.write(`${passed} passed, ${failed} failed\n`)
  if (failed > 0) process.exitCode = 1
})
