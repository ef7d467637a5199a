import test from 'ava'
import fc from 'fast-check'

import { Metadata } from '../core/metadata.js'
import { GrpcError, errorMetadata, errorOf } from './grpc-error.js'
import { metadataOf, metadataText } from './metadata-text.js'

test('metadata crosses the tape as it is', (t) => {
  const name = fc.stringMatching(/^x-[0-9a-z_.-]{0,8}[a-z]$/).filter((name) => !name.endsWith('-bin'))
  const value = fc.stringMatching(/^[\x20-\x7e]{0,20}$/)
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value)), (pairs) => {
      const there = new Metadata(pairs)
      t.deepEqual([...metadataOf(metadataText(there))], [...there])
    }),
  )
  t.is(metadataText(undefined), '')
  t.is(metadataText(new Metadata()), '')
  t.is(metadataOf('').size, 0)
})

test('binary values travel as base64 without padding, and are read with it too', (t) => {
  const metadata = new Metadata()
  metadata.setBinary('x-Bin', new Uint8Array([1, 2, 3, 255]))
  t.is(metadataText(metadata), 'x-bin\nAQID/w')
  t.deepEqual(metadata.getBinary('x-bin'), new Uint8Array([1, 2, 3, 255]))
  t.deepEqual(metadataOf('x-bin\nAQID/w==').getBinary('x-bin'), new Uint8Array([1, 2, 3, 255]))
  t.deepEqual(metadataOf('x-bin\nAQ,Ag==').getAllBinary('x-bin'), [new Uint8Array([1]), new Uint8Array([2])])
  t.is(metadata.getBinary('nothing-bin'), undefined)
  t.throws(() => metadata.setBinary('x', new Uint8Array()), { code: 'INVALID_ARGUMENT' })
  t.throws(() => metadata.appendBinary('x', new Uint8Array()), { message: /end its name in '-bin'/ })
})

test('what HTTP/2 cannot carry, and what gRPC keeps to itself, is refused', (t) => {
  const wrong = (name: string, value = 'x'): Metadata => new Metadata([[name, value]])
  t.throws(() => metadataText(wrong('a b')), { message: /metadata name 'a b' is not valid/ })
  t.throws(() => metadataText(wrong('ä')), { code: 'INVALID_ARGUMENT' })
  t.throws(() => metadataText(wrong('a', 'ä')), { message: /use setBinary/ })
  t.throws(() => metadataText(wrong('a', 'x\ny')), { message: /not printable ASCII/ })
  for (const name of ['grpc-timeout', 'grpc-status', 'content-type', 'te', 'host']) {
    t.throws(() => metadataText(wrong(name)), { message: /belongs to gRPC itself/ }, name)
  }
  t.is(metadataText(wrong('grpc-status-details-bin', 'AA')), 'grpc-status-details-bin\nAA')
})

test('rich details travel with the trailing metadata and come back', (t) => {
  const details = [
    { typeUrl: 'type.googleapis.com/google.rpc.BadRequest', value: new Uint8Array([10, 0]) },
    { typeUrl: 'type.googleapis.com/x.Ü', value: new Uint8Array(300).fill(7) },
  ]
  const metadata = new Metadata({ 'x-more': 'yes' })
  const error = new GrpcError('INVALID_ARGUMENT', 'wrong: ünïcödé', { details, metadata })
  const there = metadataOf(metadataText(errorMetadata(error)))
  const back = errorOf('INVALID_ARGUMENT', 'wrong: ünïcödé', there)
  t.deepEqual(back.details, details)
  t.is(back.metadata?.get('x-more'), 'yes')
  t.is(back.sent, 'yes')
  t.is(metadata.get('grpc-status-details-bin'), undefined, 'the given metadata stay as they are')
  t.is(errorMetadata(new GrpcError('NOT_FOUND', 'gone')), undefined)
})

test('damaged details are left out', (t) => {
  for (let seed = 0; seed < 300; seed += 1) {
    const bytes = Uint8Array.from({ length: seed % 40 }, (_, n) => (seed * 31 + n * 17) % 256)
    const metadata = new Metadata()
    metadata.setBinary('grpc-status-details-bin', bytes)
    t.true(Array.isArray(errorOf('UNKNOWN', '', metadata).details))
  }
})
