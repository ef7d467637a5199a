/**
 * What attacks on a gRPC server cost its other callers. Each attack goes on, over new connections where the server ends them, while two connections make
 * one call after the other; the same calls are made without it, in turn. The server that is measured has a CPU of its own, attacker and callers share the
 * other one, so some of what is lost is the attacker's own doing.
 */
import { join } from 'node:path'

import { attackPython, peer } from '../../scripts/peers.mjs'
import { root } from '../../scripts/lib/paths.mjs'
import { must, pinned } from '../../scripts/lib/process.mjs'
import { grpcLoadOn } from './grpc-load.mjs'
import { withGrpcServers } from './grpc-servers.mjs'
import { LOAD_CPU } from './load.mjs'
import { against } from './row.mjs'
import { withArgs } from './servers.mjs'

/** @typedef {import('./row.mjs').Row} Row */
/** @typedef {import('./suites/thrift.mjs').Settings} Settings */

/** Names of attack.py, and the method they call. */
const ATTACKS = /** @type {const} */ ([
  ['rapid-reset', 'GetItem'],
  ['continuation-flood', 'GetItem'],
  ['empty-continuation-flood', 'GetItem'],
  ['hpack-bomb', 'GetItem'],
  ['ping-flood', 'GetItem'],
  ['settings-flood', 'GetItem'],
  ['empty-data-flood', 'GetItem'],
  ['compression-bomb', 'GetItem'],
  ['large-message', 'GetItem'],
  ['slow-reader', 'StreamItems'],
  ['slow-writer', 'GetItem'],
])

/**
 * @param {Settings} settings
 * @returns {Promise<Row[]>}
 */
export async function attacks(settings) {
  const generator = await peer('grpc-load')
  const python = await attackPython()
  const load = {
    method: /** @type {const} */ ('GetItem'),
    connections: 2,
    depth: 1,
    seconds: settings.seconds,
  }
  /** @type {Row[]} */
  const rows = []
  for (const [name, method] of ATTACKS) {
    // A fresh server for each: what one leaves behind is not the next one's.
    await withGrpcServers(['ours'], {}, async ({ ours: server }) => {
      const options = ['--port', `${server.port}`, '--seconds', `${settings.seconds + 1}`, '--repeat']
      const attack = withArgs(python, [
        join(root, 'tests/attacks/grpc/attack.py'),
        name,
        ...options,
        ...['--path', `/volo.example.ItemService/${method}`],
      ])
      /** @type {{ qps: number, p99: number }[]} */
      const quiet = []
      /** @type {{ qps: number, p99: number }[]} */
      const attacked = []
      await grpcLoadOn(generator, server, { ...load, seconds: 1 })
      for (let round = 0; round < settings.rounds; round++) {
        settings.progress(`${name}: round ${round + 1} of ${settings.rounds}`)
        quiet.push(await grpcLoadOn(generator, server, load))
        const [during] = await Promise.all([
          grpcLoadOn(generator, server, load),
          must(pinned(LOAD_CPU, attack), { timeout: settings.seconds * 1000 + 60_000 }),
        ])
        attacked.push(during)
      }
      const of = (/** @type {'qps' | 'p99'} */ figure) =>
        /** @type {const} */ ([attacked.map((it) => it[figure]), quiet.map((it) => it[figure])])
      const [[rate, before], [slow, usual]] = [of('qps'), of('p99')]
      rows.push(against(`callers during ${name}`, '/s', rate, 'without', before))
      rows.push(against(`callers' p99 during ${name}`, 'µs', slow, 'without', usual))
    })
  }
  return rows
}
