/** The servers of a soak run, one of them with TLS. Questions: `usage`, `stats`, `addresses`, `close`. */
import process from 'node:process'

import { seen, server } from './service.mjs'
import { identity } from './tls.mjs'
import { answering, usage } from './usage.mjs'

const plain = await server().listen('127.0.0.1:0')
const secure = await server().tls(identity).listen('127.0.0.1:0')

/** Counters of both. */
function stats() {
  /** @type {[Record<string, unknown>, Record<string, unknown>]} */
  const [one, other] = [plain.stats(), secure.stats()]
  const sums = Object.entries(one).map(([name, value]) => [
    name,
    typeof value === 'number' ? value + Number(other[name]) : value,
  ])
  return { ...Object.fromEntries(sums), ...seen, runtime: plain.runtime }
}

answering({
  usage,
  stats,
  addresses: () => [plain.address, secure.address],
  close: async () => {
    await Promise.all([plain.close({ grace: '5s' }), secure.close({ grace: '5s' })])
    // The channel to the parent would keep this process.
    setImmediate(() => process.disconnect())
    return true
  },
})
process.stdout.write(`listening on ${plain.address}\n`)
