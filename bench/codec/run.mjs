#!/usr/bin/env node
/**
 * run.mjs [--json] [--rounds N] [--seconds S] [--ours]
 *
 * What messages cost the JavaScript thread: a GetItemResponse with a bigint, two strings and a map of three is made from the tape, and laid on
 * it, by generated code. The peers do the same from and to bytes, which is all they have. `--ours` leaves the peers out.
 */
import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

import protobuf from 'protobufjs'

import { built } from '../../scripts/lib/built.mjs'
import { nodeThriftPeer } from '../../scripts/peers.mjs'
import { printTable } from '../lib/report.mjs'
import { against, alone, atLeast } from '../lib/row.mjs'
import { BATCH, batched, check, item, sample, sink } from './sample.mjs'
import { layReplies } from './tape.mjs'

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    ours: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '0.5' },
  },
})

/** @typedef {import('./sample.mjs').Case} Case */

const rows = await measure()
if (values.json) process.stdout.write(`${JSON.stringify({ rows })}\n`)
else printTable(rows)

async function measure() {
  /** Each case handles BATCH messages. @type {Record<string, Case>} */
  const cases = { ...(await ourCases()), ...(values.ours ? {} : { ...(await thriftCases()), ...protobufCases() }) }
  check(cases)
  const times = sample(cases, { rounds: Number(values.rounds), seconds: Number(values.seconds) })
  // Rust's part of the same message: from bytes to the tape, before JavaScript sees it.
  const decode = values.ours ? undefined : rustDecode()
  if (decode !== undefined) {
    times['read and decode'] = times['read single'].map((ns, round) => ns + decode[round % decode.length])
  }
  const versus = (/** @type {string} */ ours, /** @type {string} */ peer) => {
    // Rates, so that more is better, as everywhere.
    const rate = (/** @type {string} */ name) => times[name].map((ns) => 1e9 / ns)
    return /** @type {const} */ ([rate(ours), rate(peer)])
  }
  const peerRow = (
    /** @type {string} */ title,
    /** @type {string} */ ours,
    /** @type {string} */ name,
    /** @type {string} */ peer,
    /** @type {number | undefined} */ least,
  ) => {
    const [mine, theirs] = versus(ours, peer)
    return against(title, 'messages/s', mine, name, theirs, least === undefined ? undefined : atLeast(least))
  }
  const ns = [
    alone(`read, ${BATCH} a delivery`, 'ns', times['read shared']),
    alone('read, one a delivery', 'ns', times['read single']),
    alone('write', 'ns', times.write),
  ]
  if (values.ours) return ns
  return [
    ...ns,
    peerRow('read', 'read single', 'npm thrift', 'read thrift', 5),
    peerRow('read', 'read single', 'protobufjs', 'read protobuf', 2.5),
    alone('decode to the tape, in Rust', 'ns', decode ?? []),
    peerRow('read, Rust included', 'read and decode', 'npm thrift', 'read thrift', 3),
    peerRow('read, Rust included', 'read and decode', 'protobufjs', 'read protobuf', 1.5),
    peerRow('write', 'write', 'npm thrift', 'write thrift', undefined),
    peerRow('write', 'write', 'protobufjs', 'write protobuf', undefined),
  ]
}

/** Nanoseconds a message that the codec takes, one figure a round. */
function rustDecode() {
  const root = fileURLToPath(new URL('../../', import.meta.url))
  const command = [
    'run',
    '--release',
    '--quiet',
    '-p',
    'volo-js-thrift',
    '--example',
    'codec_bench',
    '--',
    values.seconds,
  ]
  return Array.from({ length: Number(values.rounds) }, () => {
    const output = execFileSync('cargo', command, { cwd: root, encoding: 'utf8' })
    const found = /^GetItemResponse .*? decode +([\d.]+) ns/m.exec(output)
    if (found === null) throw new Error(`codec_bench printed no decode time of GetItemResponse:\n${output}`)
    return Number(found[1])
  })
}

async function ourCases() {
  const { ItemService } = await built('examples/volo-gen/index.js')
  const { InTape } = await built('dist/core/tape/reader.js')
  const { OutTape } = await built('dist/core/tape/writer.js')
  const { getItem } = ItemService.methods
  const items = Array.from({ length: BATCH }, () => item)

  const reader = (/** @type {boolean} */ shared) => {
    const { tape, messages } = layReplies(InTape, items, shared)
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

async function thriftCases() {
  const { args } = await nodeThriftPeer('item-server')
  const generated = join(args[args.indexOf('--generated') + 1], 'item_types.js')
  const require = createRequire(generated)
  const { GetItemResponse, Item } = require(generated)
  const thrift = require('thrift')
  const Int64 = require('node-int64')
  // As its client and server do: a transport and a protocol a message.
  const write = () => {
    /** @type {Buffer} */
    let bytes = Buffer.alloc(0)
    const transport = new thrift.TFramedTransport(undefined, (/** @type {Buffer} */ written) => {
      bytes = written
    })
    const response = new GetItemResponse({ item: new Item({ ...item, id: new Int64(1024) }) })
    response.write(new thrift.TBinaryProtocol(transport))
    transport.flush()
    return bytes
  }
  // Behind the length of the frame, which its receiver cuts off.
  const bytes = Buffer.from(write().subarray(4))
  const read = () => {
    const response = new GetItemResponse()
    response.read(new thrift.TBinaryProtocol(new thrift.TFramedTransport(bytes)))
    return response.item
  }
  return {
    'read thrift': batched(read),
    'write thrift': batched(write),
  }
}

function protobufCases() {
  const { root } = protobuf.parse(`syntax = "proto3";
    message Item { int64 id = 1; string title = 2; string content = 3; map<string, string> extra = 10; }
    message GetItemResponse { Item item = 1; }`)
  const GetItemResponse = root.lookupType('GetItemResponse')
  const response = { item: { ...item, id: 1024 } }
  const bytes = GetItemResponse.encode(response).finish()
  return {
    'read protobuf': batched(() => /** @type {any} */ (GetItemResponse.decode(bytes)).item),
    'write protobuf': batched(() => GetItemResponse.encode(response).finish()),
  }
}
