/** Thrift over TCP: our server and client against a bare epoll loop, Volo in Rust and npm's thrift. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'

import { nodeThriftPeer, peer } from '../../../scripts/peers.mjs'
import { addonFile, root } from '../../../scripts/lib/paths.mjs'
import { must, pinned } from '../../../scripts/lib/process.mjs'
import { idleConnectionMemory } from '../idle-connections.mjs'
import { alternate, LOAD_CPU, putLoad, SERVER_CPU } from '../load.mjs'
import { residentMemory } from '../proc.mjs'
import { against, alone, atLeast, atMost } from '../row.mjs'
import { running, TITLES, usage, withArgs, withServers } from '../servers.mjs'
import { slope, spread } from '../statistics.mjs'

/** @typedef {import('../row.mjs').Row} Row */
/** @typedef {import('../row.mjs').Target} Target */
/** @typedef {import('../load.mjs').Measured} Measured */
/** @typedef {import('../servers.mjs').Name} Name */

/**
 * @typedef {object} Settings
 * @property {number} rounds
 * @property {number} seconds a round
 * @property {number} [soak] minutes
 * @property {(text: string) => void} progress
 */

const KIB = 1024
const MIB = 1024 * KIB

/**
 * Rounds of a closed loop with several servers.
 * @template {Name} N
 * @param {readonly N[]} names
 * @param {{ connections: number, depth: number, contentSize?: number, echo?: number, protocol?: 'binary' | 'compact' }} shape
 * @param {Settings} settings
 * @returns {Promise<Record<N, Measured[]>>}
 */
async function closedLoop(names, shape, settings) {
  const generator = await peer('load')
  const { contentSize, echo, protocol, connections, depth } = shape
  const options = {
    ...(contentSize === undefined ? {} : { contentSize }),
    ...(echo === undefined ? {} : { echo: true }),
    ...(protocol === undefined ? {} : { protocol }),
  }
  return withServers(names, options, async (servers) => {
    // Compilers and branch predictors get to see the load before anything counts.
    for (const name of names) await putLoad(generator, servers[name], { ...shape, seconds: 1 })
    return alternate(names, settings.rounds, (name, round) => {
      settings.progress(`${connections} × ${depth}: ${TITLES[name]}, round ${round + 1} of ${settings.rounds}`)
      return putLoad(generator, servers[name], { ...shape, seconds: settings.seconds })
    })
  })
}

/**
 * @param {readonly Measured[]} rounds
 * @param {'qps' | 'p50' | 'p99' | 'p999' | 'cpu'} key
 */
const pick = (rounds, key) => rounds.map((round) => round[key])

/**
 * @param {Settings} settings
 * @returns {Promise<Row[]>}
 */
async function throughput(settings) {
  const wide = await closedLoop(['ours', 'raw', 'volo', 'npm'], { connections: 64, depth: 1 }, settings)
  const deep = await closedLoop(['ours', 'npm'], { connections: 16, depth: 16 }, settings)
  const one = await closedLoop(['ours', 'volo'], { connections: 1, depth: 1 }, settings)
  const rate = (
    /** @type {string} */ name,
    /** @type {Measured[]} */ ours,
    /** @type {Name} */ peerName,
    /** @type {Measured[]} */ theirs,
    /** @type {Target} */ target,
  ) => against(name, '/s', pick(ours, 'qps'), TITLES[peerName], pick(theirs, 'qps'), target)
  return [
    rate('64 × 1 requests', wide.ours, 'raw', wide.raw, atLeast(0.85)),
    against('64 × 1 CPU a request', 'µs', pick(wide.ours, 'cpu'), TITLES.raw, pick(wide.raw, 'cpu'), atMost(1.25)),
    rate('64 × 1 requests', wide.ours, 'volo', wide.volo, atLeast(1.1)),
    rate('64 × 1 requests', wide.ours, 'npm', wide.npm, atLeast(7)),
    rate('16 × 16 requests', deep.ours, 'npm', deep.npm, atLeast(30)),
    against('1 × 1 p50', 'µs', pick(one.ours, 'p50'), TITLES.volo, pick(one.volo, 'p50'), atMost(1.25)),
  ]
}

/**
 * @param {Settings} settings
 * @returns {Promise<Row[]>}
 */
async function content(settings) {
  const wide = await closedLoop(['ours', 'volo'], { connections: 64, depth: 1, contentSize: 1024 }, settings)
  const deep = await closedLoop(['ours', 'volo'], { connections: 16, depth: 16, contentSize: 1024 }, settings)
  return [
    against('1 KiB, 64 × 1 requests', '/s', pick(wide.ours, 'qps'), TITLES.volo, pick(wide.volo, 'qps'), atLeast(1.3)),
    against('1 KiB, 16 × 16 requests', '/s', pick(deep.ours, 'qps'), TITLES.volo, pick(deep.volo, 'qps'), atLeast(4)),
  ]
}

/**
 * Other forms of a message than framed binary.
 * @param {Settings} settings
 * @returns {Promise<Row[]>}
 */
async function wires(settings) {
  const shape = { connections: 64, depth: 1 }
  const compact = await closedLoop(['ours', 'npm'], { ...shape, protocol: 'compact' }, settings)
  const generator = await peer('load')
  const transports = /** @type {const} */ (['ttheader', 'framed'])
  // One server, which is the same whatever it is spoken to in.
  const { ttheader, framed } = await withServers(['ours'], {}, async ({ ours: server }) => {
    for (const transport of transports) await putLoad(generator, server, { ...shape, transport, seconds: 1 })
    return alternate(transports, settings.rounds, (transport, round) => {
      settings.progress(`64 × 1: ${transport}, round ${round + 1} of ${settings.rounds}`)
      return putLoad(generator, server, { ...shape, transport, seconds: settings.seconds })
    })
  })
  return [
    against(
      'compact, 64 × 1 requests',
      '/s',
      pick(compact.ours, 'qps'),
      TITLES.npm,
      pick(compact.npm, 'qps'),
      atLeast(5),
    ),
    against('TTHeader, 64 × 1 requests', '/s', pick(ttheader, 'qps'), 'framed', pick(framed, 'qps'), atLeast(0.9)),
  ]
}

/**
 * Large binaries that are given back.
 * @param {Settings} settings
 * @returns {Promise<Row[]>}
 */
async function echo(settings) {
  /** @type {Row[]} */
  const rows = []
  for (const { title, size, connections } of [
    { title: 'echo of 64 KiB', size: 64 * KIB, connections: 16 },
    { title: 'echo of 1 MiB', size: MIB, connections: 4 },
  ]) {
    const shape = { connections, depth: 1, echo: size }
    const { ours, npm, raw } = await closedLoop(['ours', 'npm', 'raw'], shape, settings)
    rows.push(against(title, '/s', pick(ours, 'qps'), TITLES.npm, pick(npm, 'qps'), atLeast(3)))
    rows.push(against(title, '/s', pick(ours, 'qps'), TITLES.raw, pick(raw, 'qps'), atLeast(0.8)))
  }
  return rows
}

/**
 * Proxies that pass messages on as they are, each over one connection to the bare loop behind it. They share the CPU of servers. That loop has the
 * CPU of the load, which is what there is too little of: what a call costs the proxies tells them apart.
 * @param {Settings} settings
 * @returns {Promise<Row[]>}
 */
async function proxy(settings) {
  const generator = await peer('load')
  const bare = await peer('raw')
  const ours = { command: process.execPath, args: [join(root, 'bench', 'lib', 'proxy-server.mjs')] }
  const shapes = [
    { connections: 64, depth: 1, rate: atLeast(0.7), cpu: atMost(1.25) },
    // With system calls for many calls each, what is done for a call itself weighs more.
    { connections: 16, depth: 16, rate: atLeast(0.65), cpu: undefined },
  ]
  const names = /** @type {const} */ (['proxy', 'raw'])
  const upstream = async () => withArgs(bare, ['--port', '0'])
  return running(
    ['upstream'],
    upstream,
    ({ upstream: { address } }) =>
      running(
        names,
        async (name) => withArgs(name === 'raw' ? bare : ours, ['--port', '0', '--upstream', address]),
        async (servers) => {
          /** @type {Row[]} */
          const rows = []
          for (const { rate, cpu, ...shape } of shapes) {
            const title = `proxy, ${shape.connections} × ${shape.depth}`
            for (const name of names) await putLoad(generator, servers[name], { ...shape, seconds: 1 })
            const rounds = await alternate(names, settings.rounds, (name, round) => {
              settings.progress(`${title} through ${name}, round ${round + 1} of ${settings.rounds}`)
              return putLoad(generator, servers[name], { ...shape, seconds: settings.seconds })
            })
            const row = (
              /** @type {string} */ what,
              /** @type {string} */ unit,
              /** @type {'qps' | 'cpu'} */ key,
              /** @type {Target | undefined} */ target,
            ) => against(`${title} ${what}`, unit, pick(rounds.proxy, key), TITLES.raw, pick(rounds.raw, key), target)
            rows.push(row('requests', '/s', 'qps', rate), row('CPU a request', 'µs', 'cpu', cpu))
          }
          return rows
        },
      ),
    LOAD_CPU,
  )
}

/**
 * Latency at half of what our server can take, on a fixed schedule: a server that falls behind shows it.
 * @param {Settings} settings
 * @returns {Promise<Row[]>}
 */
async function latency(settings) {
  const generator = await peer('load')
  const names = /** @type {const} */ (['ours', 'volo'])
  return withServers(names, {}, async (servers) => {
    settings.progress('latency: finding the most our server takes')
    await putLoad(generator, servers.volo, { connections: 64, depth: 1, seconds: 1 })
    await putLoad(generator, servers.ours, { connections: 64, depth: 1, seconds: 1 })
    const most = await putLoad(generator, servers.ours, { connections: 64, depth: 1, seconds: settings.seconds })
    const rate = most.qps / 2
    /** @type {number[]} */
    const pauses = []
    const rounds = await alternate(names, settings.rounds, async (name, round) => {
      settings.progress(`latency at ${Math.round(rate)}/s: ${TITLES[name]}, round ${round + 1} of ${settings.rounds}`)
      const before = name === 'ours' ? await usage(servers.ours) : undefined
      const start = performance.now()
      const measured = await putLoad(generator, servers[name], {
        connections: 64,
        depth: 4,
        seconds: settings.seconds,
        rate,
      })
      if (before !== undefined) {
        const after = await usage(servers.ours)
        pauses.push(((after.pauses - before.pauses) / (performance.now() - start)) * 100)
      }
      return measured
    })
    const remark = `at ${Math.round(rate).toLocaleString('en-US')}/s`
    const { ours, volo } = rounds
    return [
      against('half load, p99', 'µs', pick(ours, 'p99'), TITLES.volo, pick(volo, 'p99'), atMost(1.5), remark),
      against('half load, p99.9', 'µs', pick(ours, 'p999'), TITLES.volo, pick(volo, 'p999'), atMost(1.5), remark),
      alone('half load, time in GC pauses', '%', pauses, atMost(1)),
    ]
  })
}

/**
 * Clients in turns, with the same server.
 * @template {string} N
 * @param {string} title
 * @param {Record<N, import('../../../scripts/lib/process.mjs').Command>} commands
 * @param {Settings} settings
 * @returns {Promise<Record<N, number[]>>} calls a second
 */
function clients(title, commands, settings) {
  const names = /** @type {N[]} */ (Object.keys(commands))
  return alternate(names, settings.rounds, async (name, round) => {
    settings.progress(`${title}: ${name}, round ${round + 1} of ${settings.rounds}`)
    const { stdout } = await must(pinned(LOAD_CPU, commands[name]), { timeout: settings.seconds * 1000 + 60_000 })
    const lines = stdout.trimEnd().split('\n')
    const result = JSON.parse(lines[lines.length - 1])
    return /** @type {number} */ (result.qps ?? result.rate)
  })
}

/**
 * Clients that have many calls in flight on one connection.
 * @param {Settings} settings
 * @returns {Promise<Row[]>}
 */
async function client(settings) {
  const npm = await nodeThriftPeer('item-client')
  const volo = await peer('volo')
  const seconds = ['--seconds', `${settings.seconds}`]
  const ours = (/** @type {string} */ kind, /** @type {number} */ inFlight, /** @type {string} */ address) => ({
    command: process.execPath,
    args: [
      join(root, 'scripts', 'lib', 'load-client.mjs'),
      ...['--address', address, `--${kind}`, `${inFlight}`, ...seconds],
    ],
  })
  const theirs = (/** @type {number} */ inFlight, /** @type {number} */ port) =>
    withArgs(npm, ['--port', `${port}`, '--inflight', `${inFlight}`, ...seconds, '--warmup', '0.5', '--json'])
  /** @type {Row[]} */
  const rows = []
  await withServers(['ours'], {}, async ({ ours: { address, port } }) => {
    for (const [inFlight, target] of [
      [16, 4],
      [128, 15],
    ]) {
      const title = `client, ${inFlight} in flight on 1 connection`
      const commands = { ours: ours('pipelined', inFlight, address), npm: theirs(inFlight, port) }
      const rates = await clients(title, commands, settings)
      rows.push(against(title, '/s', rates.ours, TITLES.npm, rates.npm, atLeast(target)))
    }
  })
  // A server that is faster than all of these clients, so that none waits for it.
  await withServers(['raw'], {}, async ({ raw: { address, port } }) => {
    const title = 'multiplexed client, 128 in flight on 1 connection'
    const commands = {
      ours: ours('multiplexed', 128, address),
      npm: theirs(128, port),
      volo: withArgs(volo, ['item-client', '--port', `${port}`, '--inflight', '128', ...seconds, '--mux']),
    }
    const rates = await clients(title, commands, settings)
    rows.push(against(title, '/s', rates.ours, TITLES.npm, rates.npm, atLeast(12)))
    rows.push(against(title, '/s', rates.ours, TITLES.volo, rates.volo, atLeast(1)))
  })
  return rows
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
    values.push(await withServers(['ours'], { contentSize: 1024 }, ({ ours }) => idleConnectionMemory(ours)))
  }
  const kib = values.map((value) => value / 1024)
  return [alone('idle connection after a 1 KiB call', 'KiB', kib, atMost(8))]
}

/**
 * @param {Settings} settings
 * @returns {Promise<Row[]>}
 */
async function startup(settings) {
  /** @type {number[]} */
  const times = []
  /** @type {number[]} */
  const sizes = []
  /** @param {readonly string[]} args */
  const start = async (args) => {
    const program = join(root, 'bench', 'lib', 'startup.mjs')
    const { stdout } = await must(pinned(SERVER_CPU, { command: process.execPath, args: [program, ...args] }))
    return /** @type {{ ms: number, rss: number }} */ (JSON.parse(stdout))
  }
  // The first start reads files from disk, which says more about the disk.
  await start([])
  for (let round = 0; round < settings.rounds * 3; round++) {
    settings.progress(`start, ${round + 1} of ${settings.rounds * 3}`)
    const bare = await start(['--bare'])
    const ours = await start([])
    times.push(ours.ms)
    sizes.push((ours.rss - bare.rss) / MIB)
  }
  const addon = process.env.VOLO_ADDON ?? join(root, addonFile())
  return [
    alone('import to listening', 'ms', times, atMost(40)),
    alone('addon', 'MiB', [statSync(addon).size / MIB], atMost(8)),
    alone('memory over bare Node', 'MiB', sizes, atMost(12)),
  ]
}

/**
 * Memory under steady load; the first fifth is warm-up.
 * @param {Settings} settings
 * @returns {Promise<Row[]>}
 */
async function soak(settings) {
  const minutes = settings.soak ?? 0
  const generator = await peer('load')
  return withServers(['ours'], {}, async ({ ours: server }) => {
    const seconds = minutes * 60
    let loading = true
    const load = putLoad(generator, server, { connections: 64, depth: 1, seconds }).finally(() => (loading = false))
    /** @type {{ x: number, y: number }[]} */
    const points = []
    const start = performance.now()
    while (loading) {
      const x = (performance.now() - start) / 60_000
      const y = residentMemory(server.pid) / MIB
      if (x > minutes / 5) points.push({ x, y })
      settings.progress(`soak: ${x.toFixed(1)} of ${minutes} min, ${y.toFixed(1)} MiB`)
      await Promise.race([sleep(1000), load])
    }
    const { qps } = await load
    const sizes = spread(points.map(({ y }) => y))
    const remark = `${minutes} min, ${Math.round(qps).toLocaleString('en-US')}/s, ${sizes.min.toFixed(0)} to ${sizes.max.toFixed(0)} MiB`
    return [alone('memory growth under load', 'MiB/min', [slope(points)], atMost(1), remark)]
  })
}

/** Groups of rows, in the order they run. `soak` only where minutes are given. */
export const groups = { throughput, content, wires, echo, proxy, latency, client, memory, startup, soak }
