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

import { nodeThriftPeer } from '../../scripts/peers.mjs'
import { printTable } from '../lib/report.mjs'
import { alone } from '../lib/row.mjs'
import { ourCases, ourRows, peerRow, protobufjsCases } from './cases.mjs'
import { batched, check, item, sample } from './sample.mjs'

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    ours: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '0.5' },
  },
})

const rows = await measure()
if (values.json) process.stdout.write(`${JSON.stringify({ rows })}\n`)
else printTable(rows)

async function measure() {
  /** Each case handles BATCH messages. @type {Record<string, import('./sample.mjs').Case>} */
  const cases = {
    ...(await ourCases('thrift')),
    ...(values.ours ? {} : { ...(await thriftCases()), ...protobufjsCases() }),
  }
  check(cases)
  const times = sample(cases, { rounds: Number(values.rounds), seconds: Number(values.seconds) })
  if (values.ours) return ourRows(times)
  // Rust's part of the same message: from bytes to the tape, before JavaScript sees it.
  const decode = rustDecode()
  times['read and decode'] = times['read single'].map((ns, round) => ns + decode[round % decode.length])
  return [
    ...ourRows(times),
    peerRow(times, 'read', 'read single', 'npm thrift', 'read thrift', 5),
    peerRow(times, 'read', 'read single', 'protobufjs', 'read protobufjs', 2.5),
    alone('decode to the tape, in Rust', 'ns', decode),
    peerRow(times, 'read, Rust included', 'read and decode', 'npm thrift', 'read thrift', 3),
    peerRow(times, 'read, Rust included', 'read and decode', 'protobufjs', 'read protobufjs', 1.5),
    peerRow(times, 'write', 'write', 'npm thrift', 'write thrift'),
    peerRow(times, 'write', 'write', 'protobufjs', 'write protobufjs'),
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
