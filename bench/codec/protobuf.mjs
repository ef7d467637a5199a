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

import { grpcJsLibraries } from '../../scripts/peers.mjs'
import { printTable } from '../lib/report.mjs'
import { ourCases, ourRows, peerRow, protobufjsCases } from './cases.mjs'
import { batched, check, item, sample } from './sample.mjs'

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
  const cases = { ...(await ourCases('grpc')), ...protobufjsCases(), ...(await protobufEsCases()) }
  check(cases)
  const times = sample(cases, { rounds: Number(values.rounds), seconds: Number(values.seconds) })
  return [
    ...ourRows(times),
    peerRow(times, 'read', 'read single', 'protobufjs', 'read protobufjs', 2.5),
    peerRow(times, 'read', 'read single', 'protobuf-es', 'read protobuf-es', 4),
    peerRow(times, 'write', 'write', 'protobufjs', 'write protobufjs', 2.5),
    peerRow(times, 'write', 'write', 'protobuf-es', 'write protobuf-es', 4),
  ]
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
