/** A server that is replaced by new processes of itself while load goes on. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { Failure, pinned, run } from '../../scripts/lib/process.mjs'
import { startServer } from './runtimes.mjs'

/** Between one process and the next, in ms. */
const PAUSE = 300

/**
 * Replaces the server again and again until the load has ended.
 * @param {import('../../scripts/lib/process.mjs').Command} generator
 * @param {object} how
 * @param {import('./runtimes.mjs').Runtime} how.runtime
 * @param {number} how.connections
 * @param {number} how.seconds
 * @param {number | string} how.serverCpus
 * @param {number | string} how.loadCpus
 * @returns {Promise<{ failed: number, replies: number, restarts: number, slowest: number }>} `slowest`: the longest call, in µs
 */
export async function hotRestart(generator, { runtime, connections, seconds, serverCpus, loadCpus }) {
  const folder = mkdtempSync(join(tmpdir(), 'volo-js-restart-'))
  const handover = ['--handover', join(folder, 'handover.sock')]
  let server = await startServer({ runtime, options: handover }, serverCpus)
  const port = `${server.port}`
  try {
    const args = ['--host', server.host, '--port', port, '--connections', `${connections}`, '--seconds', `${seconds}`]
    let loading = true
    const load = run(pinned(loadCpus, { ...generator, args: [...generator.args, ...args, '--json'] }), {
      timeout: seconds * 1000 + 60_000,
    }).finally(() => (loading = false))
    let restarts = 0
    await Promise.race([sleep(PAUSE), load])
    while (loading) {
      const successor = await startServer({ runtime, options: ['--port', port, ...handover] }, serverCpus)
      const predecessor = server
      server = successor
      const code = await predecessor.exited
      if (code !== 0) {
        throw new Failure(`The server that was replaced ended with exit code ${code}.`, { output: predecessor.output })
      }
      restarts++
      await Promise.race([sleep(PAUSE), load])
    }
    const { stdout, output } = await load
    const line = stdout.trimEnd().split('\n').pop() ?? ''
    // Without a result a connection was cut, and with it calls nobody has counted.
    if (!line.startsWith('{'))
      throw new Failure('The load lost a connection while the server was replaced.', { output })
    /** @type {{ replies: number, wrong: number, unsent: number, unanswered: number, max: number }} */
    const { replies, wrong, unsent, unanswered, max } = JSON.parse(line)
    return { failed: wrong + unsent + unanswered, replies, restarts, slowest: max }
  } finally {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}
