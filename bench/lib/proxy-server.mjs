#!/usr/bin/env node
/**
 * proxy-server.mjs --upstream HOST:PORT [--port P] [--transport T] [--protocol P] [--pooled]
 *
 * A proxy in front of a server of ItemService: every call is passed on, undecoded, over one pipelined connection, or over a pool. Transport and
 * protocol are those of the upstream; callers speak what they like. VOLO_RUNTIME and VOLO_THREADS choose what moves the bytes.
 */
import process from 'node:process'
import { parseArgs } from 'node:util'

import { built } from '../../scripts/lib/built.mjs'

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    upstream: { type: 'string' },
    transport: { type: 'string', default: 'framed' },
    protocol: { type: 'string', default: 'binary' },
    pooled: { type: 'boolean', default: false },
  },
})
if (values.upstream === undefined) throw new Error('--upstream HOST:PORT says where calls go')

const { Client, proxy, Server } = await built('dist/bundle/thrift/index.js')
const { ItemService } = await built('examples/volo-gen/index.js')

const upstream = Client.of(ItemService, 'item')
  .address(values.upstream)
  .transport(values.transport)
  .protocol(values.protocol)
if (!values.pooled) upstream.pipelined()

await new Server()
  .add(proxy(ItemService, upstream))
  .run(`127.0.0.1:${values.port}`, (/** @type {{ address: string }} */ handle) => {
    process.stdout.write(`listening on ${handle.address}\n`)
  })
