#!/usr/bin/env node
/**
 * startup.mjs [--bare]
 *
 * Prints as JSON how long it took from before the import of volo-js until a server listened (ms), and the memory of the process then (bytes).
 * With --bare nothing is imported: the memory is Node's own.
 */
import process from 'node:process'

const bare = process.argv.includes('--bare')
const start = performance.now()
let ms = 0
if (!bare) {
  const { built } = await import('../../scripts/lib/built.mjs')
  const { Server } = await built('dist/bundle/thrift/index.js')
  const { ItemService } = await built('examples/volo-gen/index.js')
  const server = Server.of(ItemService, { getItem: () => ({ item: { id: 1n, title: '', content: '' } }) })
  const handle = await server.listen('127.0.0.1:0')
  ms = performance.now() - start
  setTimeout(() => void handle.close({ grace: 0 }), 200)
}
// After a moment, so that both have settled alike.
setTimeout(() => process.stdout.write(`${JSON.stringify({ ms, rss: process.memoryUsage.rss() })}\n`), 100)
