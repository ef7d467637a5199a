/**
 * A program that loses its I/O thread, and listens for uncaught errors: `lost-thread.js main|isolate`. What the thread waits by is closed under it,
 * which makes its runtime panic.
 */
import { closeSync, readdirSync, readlinkSync } from 'node:fs'
import { Worker, isMainThread } from 'node:worker_threads'
import { Server } from 'volo-js/thrift'
import { answer, clientOf, ItemService } from '../../life/item.js'

/** Descriptors of epoll in this process. */
function pollers(): Set<number> {
  const numbers = readdirSync('/proc/self/fd').map(Number)
  return new Set(
    numbers.filter((number) => {
      try {
        return readlinkSync(`/proc/self/fd/${number}`).includes('eventpoll')
      } catch {
        // The descriptor that read the folder.
        return false
      }
    }),
  )
}

async function lose(): Promise<void> {
  process.on('uncaughtException', ({ message }) => console.log(`caught ${message}`))
  const inline = await Server.of(ItemService, { getItem: ({ id }) => answer(id) })
    .runtime('inline')
    .listen('127.0.0.1:0')
  const before = pollers()
  const server = await Server.of(ItemService, { getItem: ({ id }) => answer(id) })
    .runtime('tokio')
    .listen('127.0.0.1:0')
  for (const number of pollers()) if (!before.has(number)) closeSync(number)
  // Whatever comes to the thread makes it look.
  clientOf(server.address)
    .getItem({ id: 1n })
    .catch(() => undefined)
  await inline.closed
}

if (isMainThread && process.argv[2] === 'isolate') {
  const worker = new Worker(new URL(import.meta.url), { argv: ['main'] })
  worker.on('exit', (code) => console.log(`the isolate ended with ${code}`))
} else await lose()
