#!/usr/bin/env node
/**
 * item-server.mjs [--port P] [--content-size N]
 *
 * The ItemService of examples/ with a content of a settable length, as the peers' servers have it.
 */
import process from 'node:process'
import { parseArgs } from 'node:util'

import { built } from '../../scripts/lib/built.mjs'

const { values } = parseArgs({
  options: { port: { type: 'string', default: '0' }, 'content-size': { type: 'string' } },
})
const { Server } = await built('dist/bundle/thrift/index.js')
const { ItemService } = await built('examples/volo-gen/index.js')

const size = values['content-size']
const content = size === undefined ? 'This is a Volo example' : 'x'.repeat(Number(size))

await Server.of(ItemService, {
  /** @param {{ id: bigint }} request */
  getItem: ({ id }) => ({ item: { id, title: 'Hello Volo', content } }),
}).run(`127.0.0.1:${values.port}`, (/** @type {{ address: string }} */ handle) => {
  process.stdout.write(`listening on ${handle.address}\n`)
})
