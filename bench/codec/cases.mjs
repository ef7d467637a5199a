/** What both protocols are measured with: code of ours for either of them, a peer that stands beside both, and how they are told. */
import protobuf from 'protobufjs'

import { built } from '../../scripts/lib/built.mjs'
import { against, alone, atLeast } from '../lib/row.mjs'
import { BATCH, batched, item, sink } from './sample.mjs'
import { layReplies } from './tape.mjs'

/**
 * Generated code: `read shared`, `read single` and `write`.
 * @param {'thrift' | 'grpc'} protocol
 * @returns {Promise<Record<string, import('./sample.mjs').Case>>}
 */
export async function ourCases(protocol) {
  const { ItemService } = await built(`examples/volo-gen/${protocol === 'grpc' ? 'grpc/' : ''}index.js`)
  const { InTape } = await built('dist/core/tape/reader.js')
  const { OutTape } = await built('dist/core/tape/writer.js')
  const { getItem } = ItemService.methods
  const items = Array.from({ length: BATCH }, () => item)

  const reader = (/** @type {boolean} */ shared) => {
    const { tape, messages } = layReplies(InTape, items, shared, protocol)
    return () => {
      tape.open()
      for (const p of messages) {
        tape.begin(p)
        sink.last = getItem.readResult(tape, p + 4)
      }
      return /** @type {any} */ (sink.last).item
    }
  }

  const out = new OutTape(() => undefined)
  const words = out.i32
  const response = { item }
  const write = () => {
    for (let message = 0; message < BATCH; message++) {
      out.open(2, message, 1, 0, 0)
      getItem.writeResult(out, response)
      out.close()
    }
    // What Rust does: asks for the text, takes everything, and says so.
    out.encodeText()
    words[0] = 2
  }
  return { 'read shared': reader(true), 'read single': reader(false), write }
}

/**
 * npm `protobufjs`.
 * @returns {Record<string, import('./sample.mjs').Case>}
 */
export function protobufjsCases() {
  const { root } = protobuf.parse(`syntax = "proto3";
    message Item { int64 id = 1; string title = 2; string content = 3; map<string, string> extra = 10; }
    message GetItemResponse { Item item = 1; }`)
  const GetItemResponse = root.lookupType('GetItemResponse')
  const response = { item: { ...item, id: 1024 } }
  const bytes = GetItemResponse.encode(response).finish()
  return {
    'read protobufjs': batched(() => /** @type {any} */ (GetItemResponse.decode(bytes)).item),
    'write protobufjs': batched(() => GetItemResponse.encode(response).finish()),
  }
}

/**
 * Rows of {@link ourCases} alone, in nanoseconds a message.
 * @param {Record<string, number[]>} times
 */
export function ourRows(times) {
  return [
    alone(`read, ${BATCH} a delivery`, 'ns', times['read shared']),
    alone('read, one a delivery', 'ns', times['read single']),
    alone('write', 'ns', times.write),
  ]
}

/**
 * A case of ours beside a peer's, as rates, so that more is better, as everywhere.
 * @param {Record<string, number[]>} times nanoseconds a message, by case
 * @param {string} title
 * @param {string} ours
 * @param {string} peer
 * @param {string} theirs
 * @param {number} [least] how many times the peer's rate ours has to be
 */
export function peerRow(times, title, ours, peer, theirs, least) {
  const rate = (/** @type {string} */ name) => times[name].map((ns) => 1e9 / ns)
  return against(title, 'messages/s', rate(ours), peer, rate(theirs), least === undefined ? undefined : atLeast(least))
}
