/** Load on gRPC servers: h2load for unary calls, a generator of our own where it does not serve. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { Failure, must, pinned } from '../../scripts/lib/process.mjs'
import { withArgs } from './servers.mjs'
import { LOAD_CPU } from './load.mjs'
import { cpuTime } from './proc.mjs'

/** @typedef {import('../../scripts/lib/process.mjs').Command} Command */
/** @typedef {import('../../scripts/lib/process.mjs').ServerProcess} ServerProcess */

/** The prefix of a gRPC message, and GetItemRequest { id: 1024 }. */
const REQUEST = Buffer.from([0, 0, 0, 0, 3, 0x08, 0x80, 0x08])

/** A file with the request, for h2load takes it from one. */
const requestFile = (() => {
  /** @type {string | undefined} */
  let file
  return () => {
    if (file === undefined) {
      file = join(mkdtempSync(join(tmpdir(), 'volo-js-bench-')), 'request')
      writeFileSync(file, REQUEST)
    }
    return file
  }
})()

/**
 * Unary calls from h2load. It looks at the status of HTTP only: see that replies are right with {@link grpcLoadOn} first.
 * @param {Command} generator
 * @param {ServerProcess} server
 * @param {{ connections: number, depth: number, seconds: number }} load `depth`: calls in flight a connection
 * @returns {Promise<{ qps: number, cpu: number }>} `cpu`: µs of the server's CPU time a request
 */
export async function h2loadOn(generator, server, { connections, depth, seconds }) {
  const args = [
    ...['-c', `${connections}`, '-m', `${depth}`, '-D', `${Math.max(1, Math.round(seconds))}`, '-t', '1'],
    ...['-H', 'content-type: application/grpc', '-H', 'te: trailers', '-d', requestFile()],
    `http://127.0.0.1:${server.port}/volo.example.ItemService/GetItem`,
  ]
  const before = cpuTime(server.pid)
  const { stdout } = await must(pinned(LOAD_CPU, withArgs(generator, args)), { timeout: seconds * 1000 + 60_000 })
  const cpu = cpuTime(server.pid) - before
  const rate = /^finished in [\d.]+m?s, ([\d.]+) req\/s/m.exec(stdout)
  const requests = /^requests: .*? (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout/m.exec(stdout)
  if (rate === null || requests === null) throw new Failure('h2load said nothing of its requests.', { output: stdout })
  const [succeeded, failed, errored, timedOut] = requests.slice(1).map(Number)
  // Calls that the end of the time cut off count as failed, though nothing went wrong with them.
  if (
    succeeded === 0 ||
    errored - cutOff(connections, depth) > 0 ||
    timedOut > 0 ||
    failed > cutOff(connections, depth)
  ) {
    throw new Failure(`h2load: of the requests ${failed} failed, ${errored} errored.`, { output: stdout })
  }
  return { qps: Number(rate[1]), cpu: cpu / succeeded }
}

/**
 * Most calls that can be in flight when the time is over.
 * @param {number} connections
 * @param {number} depth
 */
const cutOff = (connections, depth) => connections * depth

/**
 * @typedef {object} GrpcLoad
 * @property {'GetItem' | 'StreamItems'} method
 * @property {number} connections
 * @property {number} depth calls in flight a connection
 * @property {number} seconds
 * @property {number} [streamItems] messages that each stream has to have
 */

/**
 * Calls from bench/grpc-load, which compares every reply.
 * @param {Command} generator
 * @param {ServerProcess} server
 * @param {GrpcLoad} load
 * @returns {Promise<{ qps: number, messagesPerSecond: number, p50: number, p99: number, cpuPerRequest: number }>}
 */
export async function grpcLoadOn(generator, server, { method, connections, depth, seconds, streamItems = 10 }) {
  const args = [
    ...['--port', `${server.port}`, '--method', method, '--connections', `${connections}`, '--depth', `${depth}`],
    ...['--seconds', `${seconds}`, '--warmup', '0.5', '--stream-items', `${streamItems}`],
  ]
  const { stdout } = await must(pinned(LOAD_CPU, withArgs(generator, args)), { timeout: seconds * 1000 + 60_000 })
  const lines = stdout.trimEnd().split('\n')
  return JSON.parse(lines[lines.length - 1])
}
