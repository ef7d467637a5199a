#!/usr/bin/env node
/**
 * item-grpc-server.mjs [--port P] [--content-size N] [--stream-items N] [--tap]
 *
 * The ItemService of item.proto as the peers' servers have it; with `--tap` behind a layer that sees every message that is sent. VOLO_RUNTIME and VOLO_THREADS choose what moves the bytes.
 */
import process from 'node:process'
import { parseArgs } from 'node:util'

import { built } from '../../scripts/lib/built.mjs'

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    'content-size': { type: 'string' },
    'stream-items': { type: 'string', default: '10' },
    tap: { type: 'boolean', default: false },
  },
})

const { layerFn, Server } = await built('dist/bundle/index.js')
const { ItemService } = await built('examples/volo-gen/grpc/index.js')

const size = values['content-size']
const content = size === undefined ? 'Powered by Volo' : 'x'.repeat(Number(size))
const streamed = Number(values['stream-items'])

/** @typedef {{ id: bigint }} Item */

const items = {
  /** @param {Item} request */
  getItem: ({ id }) => ({ item: { id, title: 'Hello gRPC', content } }),

  /** @param {Item} request */
  async *streamItems({ id }) {
    for (let n = 1; n <= streamed; n++) yield { id: id + BigInt(n), title: `Item ${n}`, content }
  },

  /** @param {AsyncIterable<Item>} sent */
  async clientStream(sent) {
    /** @type {Item | undefined} */
    let last
    for await (const item of sent) last = item
    return { item: last }
  },

  /** @param {AsyncIterable<Item>} sent */
  async *bidirectionalStream(sent) {
    for await (const item of sent) yield item
  },
}

let tapped = 0
const tap = layerFn(
  'tap',
  (
    /** @type {{ onSend(tap: () => void): void }} */ cx,
    /** @type {unknown} */ req,
    /** @type {(cx: unknown, req: unknown) => unknown} */ next,
  ) => {
    cx.onSend(() => (tapped += 1))
    return next(cx, req)
  },
)

const server = Server.of(ItemService, items)
if (values.tap) server.layer(tap)
await server.run(`127.0.0.1:${values.port}`, (/** @type {{ address: string }} */ { address }) => {
  process.stdout.write(`listening on ${address}\n`)
})
