/**
 * item-thrift-server.ts on every core: one isolate each, all on one port. SIGHUP replaces them one after another.
 *
 *     npm run -s example -- item-isolates --port 8080
 */
import { parseArgs } from 'node:util'

import { runIsolates } from 'volo-js'

const { values } = parseArgs({ options: { port: { type: 'string', default: '8080' } } })

await using isolates = await runIsolates(new URL('./item-thrift-server.js', import.meta.url), {
  count: 'cores',
  argv: ['--port', values.port],
})

process.on('SIGHUP', () => {
  isolates.reload().catch((error: unknown) => {
    console.error(error)
  })
})

await isolates.closed
