/**
 * gRPC over TCP: our server and client against bare h2 and tonic in Rust, grpc-go, and what Node has: grpc-js, nice-grpc, connect-node. And what
 * messages of Protobuf cost the JavaScript thread, against protobufjs and protobuf-es.
 */
import { join } from 'node:path'
import process from 'node:process'

import { grpcJsPeer, h2load, peer } from '../../../scripts/peers.mjs'
import { root } from '../../../scripts/lib/paths.mjs'
import { Failure, must, pinned } from '../../../scripts/lib/process.mjs'
import { grpcLoadOn, h2loadOn } from '../grpc-load.mjs'
import { TITLES, withGrpcServers } from '../grpc-servers.mjs'
import { idleConnectionMemory } from '../idle-connections.mjs'
import { callOverHttp2 } from '../idle-http2.mjs'
import { alternate, LOAD_CPU } from '../load.mjs'
import { against, alone, atLeast, atMost } from '../row.mjs'
import { withArgs } from '../servers.mjs'
import { attacks } from '../grpc-attacks.mjs'

/** @typedef {import('../row.mjs').Row} Row */
/** @typedef {import('../row.mjs').Target} Target */
/** @typedef {import('./thrift.mjs').Settings} Settings */

/** Messages of a stream: enough that the call around them does not count. */
const STREAM_ITEMS = 1000

/** Who is measured with unary calls, and what is asked of us against each: 10 × 10, 10 × 100. */
const UNARY = /** @type {const} */ ([
  ['grpc-js', [9, 9]],
  ['h2-bare', [0.8, 0.65]],
  ['grpc-go', [2.5, 2.5]],
  ['tonic', [0.9, 0.9]],
  ['nice-grpc', []],
  ['connect-node', []],
])

/** @param {number | undefined} value */
const least = (value) => (value === undefined ? undefined : atLeast(value))

/**
 * @param {Settings} settings
 * @returns {Promise<Row[]>}
 */
async function unary(settings) {
  const [generator, checker] = [await h2load(), await peer('grpc-load')]
  const names = /** @type {const} */ (['ours', ...UNARY.map(([name]) => name)])
  return withGrpcServers(names, {}, async (servers) => {
    // What h2load does not see: that the replies are right. Compilers warm up meanwhile.
    for (const name of names) {
      settings.progress(`unary: replies of ${TITLES[name]}`)
      await grpcLoadOn(checker, servers[name], { method: 'GetItem', connections: 10, depth: 10, seconds: 1 })
    }
    /** @type {Row[]} */
    const rows = []
    for (const [index, depth] of [10, 100].entries()) {
      const shape = `10 × ${depth}`
      const rounds = await alternate(names, settings.rounds, (name, round) => {
        settings.progress(`unary, ${shape}: ${TITLES[name]}, round ${round + 1} of ${settings.rounds}`)
        return h2loadOn(generator, servers[name], { connections: 10, depth, seconds: settings.seconds })
      })
      const rates = (/** @type {(typeof names)[number]} */ name) => rounds[name].map(({ qps }) => qps)
      for (const [name, targets] of UNARY) {
        const target = least(targets[index])
        rows.push(against(`unary ${shape}`, '/s', rates('ours'), TITLES[name], rates(name), target))
      }
    }
    return rows
  })
}

/**
 * @param {Settings} settings
 * @returns {Promise<Row[]>}
 */
async function streaming(settings) {
  const generator = await peer('grpc-load')
  const peers = /** @type {const} */ (['grpc-js', 'grpc-go', 'tonic'])
  const names = /** @type {const} */ (['ours', ...peers])
  const load = {
    method: /** @type {const} */ ('StreamItems'),
    connections: 4,
    depth: 4,
    streamItems: STREAM_ITEMS,
    seconds: settings.seconds,
  }
  return withGrpcServers(names, { streamItems: STREAM_ITEMS }, async (servers) => {
    for (const name of names) await grpcLoadOn(generator, servers[name], { ...load, seconds: 1 })
    const rounds = await alternate(names, settings.rounds, (name, round) => {
      settings.progress(`server streaming: ${TITLES[name]}, round ${round + 1} of ${settings.rounds}`)
      return grpcLoadOn(generator, servers[name], load)
    })
    const rates = (/** @type {(typeof names)[number]} */ name) =>
      rounds[name].map(({ messagesPerSecond }) => messagesPerSecond)
    const title = `server streaming, ${STREAM_ITEMS} messages a call`
    return peers.map((name) =>
      against(title, '/s', rates('ours'), TITLES[name], rates(name), name === 'grpc-js' ? atLeast(8) : undefined),
    )
  })
}

/**
 * A layer that sees every message of a stream, and does nothing about it.
 * @param {Settings} settings
 * @returns {Promise<Row[]>}
 */
async function taps(settings) {
  const generator = await peer('grpc-load')
  const names = /** @type {const} */ (['ours', 'tapped'])
  const load = {
    method: /** @type {const} */ ('StreamItems'),
    connections: 4,
    depth: 4,
    streamItems: STREAM_ITEMS,
    seconds: settings.seconds,
  }
  return withGrpcServers(names, { streamItems: STREAM_ITEMS }, async (servers) => {
    for (const name of names) await grpcLoadOn(generator, servers[name], { ...load, seconds: 1 })
    const rounds = await alternate(names, settings.rounds, (name, round) => {
      settings.progress(`streaming: ${TITLES[name]}, round ${round + 1} of ${settings.rounds}`)
      return grpcLoadOn(generator, servers[name], load)
    })
    const rates = (/** @type {(typeof names)[number]} */ name) =>
      rounds[name].map(({ messagesPerSecond }) => messagesPerSecond)
    const [with_, without] = [rates('tapped'), rates('ours')]
    return [against('server streaming with a tap', '/s', with_, 'volo-js without', without, atLeast(0.95))]
  })
}

/**
 * One call after the other on one connection.
 * @param {Settings} settings
 * @returns {Promise<Row[]>}
 */
async function latency(settings) {
  const generator = await peer('grpc-load')
  const peers = /** @type {const} */ (['grpc-js', 'tonic', 'grpc-go'])
  const names = /** @type {const} */ (['ours', ...peers])
  const load = { method: /** @type {const} */ ('GetItem'), connections: 1, depth: 1, seconds: settings.seconds }
  return withGrpcServers(names, {}, async (servers) => {
    for (const name of names) await grpcLoadOn(generator, servers[name], { ...load, seconds: 1 })
    const rounds = await alternate(names, settings.rounds, (name, round) => {
      settings.progress(`1 × 1: ${TITLES[name]}, round ${round + 1} of ${settings.rounds}`)
      return grpcLoadOn(generator, servers[name], load)
    })
    const p50 = (/** @type {(typeof names)[number]} */ name) => rounds[name].map((round) => round.p50)
    return peers.map((name) =>
      against('1 × 1 p50', 'µs', p50('ours'), TITLES[name], p50(name), name === 'grpc-js' ? atMost(0.6) : undefined),
    )
  })
}

/**
 * Clients, with bare h2 as the peer of both: it takes more than either can give.
 * @param {Settings} settings
 * @returns {Promise<Row[]>}
 */
async function client(settings) {
  const clients = {
    ours: { command: process.execPath, args: [join(root, 'bench', 'lib', 'item-grpc-client.mjs')] },
    'grpc-js': await grpcJsPeer('item-client'),
  }
  const names = /** @type {const} */ (['ours', 'grpc-js'])
  return withGrpcServers(['h2-bare'], {}, async ({ 'h2-bare': server }) => {
    const options = [
      '--port',
      `${server.port}`,
      '--inflight',
      '128',
      '--seconds',
      `${settings.seconds}`,
      '--warmup',
      '1',
    ]
    const rounds = await alternate(names, settings.rounds, async (name, round) => {
      settings.progress(`client, 128 in flight: ${TITLES[name]}, round ${round + 1} of ${settings.rounds}`)
      const command = pinned(LOAD_CPU, withArgs(clients[name], options))
      const { stdout } = await must(command, { timeout: settings.seconds * 1000 + 60_000 })
      const lines = stdout.trimEnd().split('\n')
      return /** @type {{ qps: number }} */ (JSON.parse(lines[lines.length - 1]))
    })
    const rates = (/** @type {'ours' | 'grpc-js'} */ name) => rounds[name].map(({ qps }) => qps)
    return [against('client, 128 in flight', '/s', rates('ours'), TITLES['grpc-js'], rates('grpc-js'), atLeast(8))]
  })
}

/**
 * @param {Settings} settings
 * @returns {Promise<Row[]>}
 */
async function memory(settings) {
  /** @type {number[]} */
  const values = []
  for (let round = 0; round < settings.rounds; round++) {
    settings.progress(`idle connections, round ${round + 1} of ${settings.rounds}`)
    // A fresh server each time: memory that a round left behind would hide the next one's.
    values.push(await withGrpcServers(['ours'], {}, ({ ours }) => idleConnectionMemory(ours, callOverHttp2)))
  }
  const kib = values.map((value) => value / 1024)
  return [alone('idle connection after a 1 KiB call', 'KiB', kib, atMost(24))]
}

/**
 * Messages of Protobuf on the JavaScript thread, measured in a process of their own.
 * @param {Settings} settings
 * @returns {Promise<Row[]>}
 */
async function codec(settings) {
  settings.progress('messages of Protobuf')
  const program = join(root, 'bench', 'codec', 'protobuf.mjs')
  const args = [program, '--json', '--rounds', `${settings.rounds}`]
  const { stdout } = await must(pinned(LOAD_CPU, { command: process.execPath, args }))
  const lines = stdout.trimEnd().split('\n')
  /** @type {{ rows?: Row[] }} */
  const { rows } = JSON.parse(lines[lines.length - 1])
  if (rows === undefined) throw new Failure(`${program} --json printed no rows.`)
  return rows
}

/** Groups of rows, in the order they run. */
export const groups = { unary, streaming, taps, latency, client, memory, codec, attacks }
