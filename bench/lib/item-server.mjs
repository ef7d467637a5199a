#!/usr/bin/env node
/**
 * item-server.mjs [--port P] [--content-size N] [--isolates N] [--handover PATH]
 *
 * The ItemService of examples/ with a content of a settable length, as the peers' servers have it. With --isolates this thread only looks after
 * that many isolates, which share the port. VOLO_RUNTIME and VOLO_THREADS choose what moves the bytes. With --handover a further process
 * on the same path and port takes over from this one.
 */
import process from 'node:process'
import { parseArgs } from 'node:util'
import { isMainThread } from 'node:worker_threads'

import { built } from '../../scripts/lib/built.mjs'

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    'content-size': { type: 'string' },
    isolates: { type: 'string' },
    handover: { type: 'string' },
  },
})

if (isMainThread && values.isolates !== undefined) {
  const { runIsolates } = await built('dist/bundle/index.js')
  const isolates = await runIsolates(new URL(import.meta.url), {
    count: Number(values.isolates),
    argv: process.argv.slice(2),
  })
  process.stdout.write(`listening on ${isolates.addresses[0]}\n`)
  await isolates.closed
} else {
  await serve()
}

async function serve() {
  const { Server } = await built('dist/bundle/thrift/index.js')
  const { ItemService } = await built('examples/volo-gen/index.js')

  const size = values['content-size']
  const content = size === undefined ? 'This is a Volo example' : 'x'.repeat(Number(size))

  await Server.of(ItemService, {
    /** @param {{ id: bigint }} request */
    getItem: ({ id }) => ({ item: { id, title: 'Hello Volo', content } }),
  })
    .options(values.handover === undefined ? {} : { handover: values.handover })
    .run(`127.0.0.1:${values.port}`, (/** @type {{ address: string }} */ handle) => {
      if (isMainThread) process.stdout.write(`listening on ${handle.address}\n`)
    })
}
