#!/usr/bin/env node
/**
 * protobuf.mjs [--json] [--rounds N] [--seconds S]
 *
 * What messages of Protobuf cost the JavaScript thread: a GetItemResponse with a bigint, two strings and a map of three is made from the tape, and
 * laid on it, by generated code. protobufjs and protobuf-es do the same from and to bytes, which is all they have.
 */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'

import protobuf from 'protobufjs'

import { built } from '../../scripts/lib/built.mjs'
import { grpcJsLibraries } from '../../scripts/peers.mjs'
import { printTable } from '../lib/report.mjs'
import { against, alone, atLeast } from '../lib/row.mjs'
import { BATCH, batched, check, item, sample, sink } from './sample.mjs'
import { layReplies } from './tape.mjs'

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '0.5' },
  },
})

const rows = await measure()
if (values.json) process.stdout.write(`${JSON.stringify({ rows })}\n`)
else printTable(rows)

async function measure() {
  /** @type {Record<string, import('./sample.mjs').Case>} */
  const cases = { ...(await ourCases()), ...protobufjsCases(), ...(await protobufEsCases()) }
  check(cases)
  const times = sample(cases, { rounds: Number(values.rounds), seconds: Number(values.seconds) })
  const rate = (/** @type {string} */ name) => times[name].map((ns) => 1e9 / ns)
  const row = (
    /** @type {'read' | 'write'} */ what,
    /** @type {string} */ ours,
    /** @type {string} */ peer,
    /** @type {number} */ least,
  ) => against(what, 'messages/s', rate(ours), peer, rate(`${what} ${peer}`), atLeast(least))
  return [
    alone(`read, ${BATCH} a delivery`, 'ns', times['read shared']),
    alone('read, one a delivery', 'ns', times['read single']),
    alone('write', 'ns', times.write),
    row('read', 'read single', 'protobufjs', 2.5),
    row('read', 'read single', 'protobuf-es', 4),
    row('write', 'write', 'protobufjs', 2.5),
    row('write', 'write', 'protobuf-es', 4),
  ]
}

async function ourCases() {
  const { ItemService } = await built('examples/volo-gen/grpc/index.js')
  const { InTape } = await built('dist/core/tape/reader.js')
  const { OutTape } = await built('dist/core/tape/writer.js')
  const { getItem } = ItemService.methods
  const items = Array.from({ length: BATCH }, () => item)

  const reader = (/** @type {boolean} */ shared) => {
    const { tape, messages } = layReplies(InTape, items, shared, 'grpc')
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

function protobufjsCases() {
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

async function protobufEsCases() {
  const library = await grpcJsLibraries()
  const { create, fromBinary, toBinary } = createRequire(join(library, 'index.js'))('@bufbuild/protobuf')
  const { registry } = createRequire(import.meta.url)('../../tests/peers/grpc-js/registry.cjs')
  const types = registry({ library })
  const GetItemResponse = types.getMessage('volo.example.GetItemResponse')
  const response = create(GetItemResponse, { item })
  const bytes = toBinary(GetItemResponse, response)
  return {
    'read protobuf-es': batched(() => fromBinary(GetItemResponse, bytes).item),
    'write protobuf-es': batched(() => toBinary(GetItemResponse, response)),
  }
}
