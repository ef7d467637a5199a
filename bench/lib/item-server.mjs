#!/usr/bin/env node
/**
 * item-server.mjs [--port P] [--content-size N | --echo] [--isolates N] [--handover PATH]
 *
 * The ItemService of examples/ with a content of a settable length, as the peers' servers have it; with --echo EchoBinary of
 * bench/lib/echo.thrift instead. With --isolates this thread only looks after
 * that many isolates, which share the port. VOLO_RUNTIME and VOLO_THREADS choose what moves the bytes. With --handover a further process
 * on the same path and port takes over from this one.
 */
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { isMainThread } from 'node:worker_threads'

import { built } from '../../scripts/lib/built.mjs'

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    'content-size': { type: 'string' },
    echo: { type: 'boolean', default: false },
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
  const { loadThrift, Server } = await built('dist/bundle/thrift/index.js')
  const { ItemService } = await built('examples/volo-gen/index.js')

  const size = values['content-size']
  const content = size === undefined ? 'This is a Volo example' : 'x'.repeat(Number(size))

  const items = () =>
    Server.of(ItemService, {
      /** @param {{ id: bigint }} request */
      getItem: ({ id }) => ({ item: { id, title: 'Hello Volo', content } }),
    })
  const echo = async () => {
    const { Echo } = await loadThrift(join(import.meta.dirname, 'echo.thrift'))
    return Server.of(Echo, { echoBinary: (/** @type {Uint8Array} */ data) => data })
  }
  const server = values.echo ? await echo() : items()
  await server
    .options(values.handover === undefined ? {} : { handover: values.handover })
    .run(`127.0.0.1:${values.port}`, (/** @type {{ address: string }} */ handle) => {
      if (isMainThread) process.stdout.write(`listening on ${handle.address}\n`)
    })
}
