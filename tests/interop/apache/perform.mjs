/** One cell: starts its server, lets its client make all calls, and looks at how both ended. */
import { ServerProcess, Failure, run } from '../../../scripts/lib/process.mjs'
import { freePort, ours, theirs } from './programs.mjs'

/** @typedef {import('./cells.mjs').Cell} Cell */

/**
 * @typedef {object} Outcome
 * @property {boolean} ok
 * @property {string} output of both programs, if something was wrong
 * @property {readonly string[]} called methods that a client of theirs called
 */

/** Milliseconds that a server may take to listen, a client for all its calls, and ours then to end: a machine may be busy with other things. */
const TIMEOUT = 60_000

/**
 * @param {Cell} cell
 * @param {string} path of a Unix socket, if the cell wants one
 * @returns {Promise<Outcome>}
 */
export async function perform(cell, path) {
  try {
    return await (cell.ours === 'server' ? oursServes(cell, path) : theirsServes(cell, path))
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return { ok: false, output: `${error.output}\n${error.message}`, called: [] }
  }
}

/**
 * @param {Cell} cell
 * @param {string} path
 * @returns {Promise<Outcome>}
 */
async function oursServes(cell, path) {
  const unix = cell.channel === 'Unix socket'
  const server = await ServerProcess.start(await ours(cell, 'server', unix ? { path } : { port: 0 }), {
    timeout: TIMEOUT,
  })
  const client = await run(await theirs(cell, 'client', unix ? { path } : { port: server.port }), { timeout: TIMEOUT })
  const asked = performance.now()
  const code = await server.stop(TIMEOUT)
  const ended = `The client ended with exit code ${client.code}, the server with ${code} after ${Math.round(performance.now() - asked)} ms.`
  const called = /^called: (.*)$/m.exec(server.output)?.[1].split(' ') ?? []
  // A client whose assertions never ran has called nothing.
  const ok = client.code === 0 && code === 0 && called.length > 1
  return { ok, output: ok ? '' : `${client.output}\n${server.output}\n${ended}`, called }
}

/**
 * @param {Cell} cell
 * @param {string} path
 * @returns {Promise<Outcome>}
 */
async function theirsServes(cell, path) {
  const address = cell.channel === 'Unix socket' ? { path } : { port: await freePort() }
  const reach = 'path' in address ? address : { ...address, host: '127.0.0.1' }
  const server = await ServerProcess.start(await theirs(cell, 'server', address), { reach, timeout: TIMEOUT })
  const client = await run(await ours(cell, 'client', address), { timeout: TIMEOUT })
  // It has nothing to drain.
  await server.stop(500)
  const ok = client.code === 0
  return { ok, output: ok ? '' : `${server.output}\n${client.output}`, called: [] }
}
