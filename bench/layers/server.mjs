#!/usr/bin/env node
/**
 * server.mjs [--layers N]
 *
 * The ItemService of examples/ behind N synchronous layers.
 */
import process from 'node:process'
import { parseArgs } from 'node:util'

import { built } from '../../scripts/lib/built.mjs'
import { countingLayer } from './layers.mjs'

const { values } = parseArgs({ options: { layers: { type: 'string', default: '0' } } })
const { Server } = await built('dist/bundle/thrift/index.js')
const { ItemService } = await built('examples/volo-gen/index.js')

const server = Server.of(ItemService, {
  /** @param {{ id: bigint }} request */
  getItem: ({ id }) => ({ item: { id, title: 'Hello Volo', content: 'This is a Volo example' } }),
})
for (let i = 0; i < Number(values.layers); i++) server.layer(countingLayer(i))
await server.run('127.0.0.1:0', (/** @type {{ address: string }} */ handle) => {
  process.stdout.write(`listening on ${handle.address}\n`)
})
