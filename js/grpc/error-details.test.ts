import test from 'ava'

import { VoloError } from '../core/errors.js'
import {
  BadRequestSchema,
  DebugInfoSchema,
  ErrorInfoSchema,
  HelpSchema,
  LocalizedMessageSchema,
  PreconditionFailureSchema,
  QuotaFailureSchema,
  RequestInfoSchema,
  ResourceInfoSchema,
  RetryInfoSchema,
} from './error-details.js'
import { errorMetadata, errorOf, GrpcError } from './grpc-error.js'
import { findDetails, packDetail } from './packed-details.js'
import type { ErrorDetail } from './status-details.js'

/** The error as its caller gets it. */
function received(details: readonly ErrorDetail[]): GrpcError {
  const metadata = errorMetadata(new GrpcError('INVALID_ARGUMENT', 'wrong', { details }))
  if (metadata === undefined) throw new TypeError('no metadata')
  return errorOf('INVALID_ARGUMENT', 'wrong', metadata)
}

test('every kind of detail is packed and found again', (t) => {
  const violation = { subject: 'project:1', description: 'too many' }
  const error = received([
    packDetail(ErrorInfoSchema, { reason: 'OLD', domain: 'shop.example', metadata: { __proto__x: 'y' } }),
    packDetail(RetryInfoSchema, { retryDelay: { seconds: 2n, nanos: 5 } }),
    packDetail(DebugInfoSchema, { stackEntries: ['a', 'b'], detail: 'deep' }),
    packDetail(QuotaFailureSchema, { violations: [violation, {}] }),
    packDetail(PreconditionFailureSchema, { violations: [{ type: 'TOS', ...violation }] }),
    packDetail(BadRequestSchema, { fieldViolations: [{ field: 'title', description: 'it is empty' }] }),
    packDetail(RequestInfoSchema, { requestId: '17' }),
    packDetail(ResourceInfoSchema, { resourceType: 'item', resourceName: '1', owner: 'me', description: 'gone' }),
    packDetail(HelpSchema, { links: [{ description: 'docs', url: 'https://shop.example' }] }),
    packDetail(LocalizedMessageSchema, { locale: 'de', message: 'falsch' }),
    packDetail(RetryInfoSchema, {}),
  ])
  t.deepEqual(findDetails(error, ErrorInfoSchema), [
    { reason: 'OLD', domain: 'shop.example', metadata: { __proto__x: 'y' } },
  ])
  t.deepEqual(findDetails(error, RetryInfoSchema), [
    { retryDelay: { seconds: 2n, nanos: 5 } },
    { retryDelay: undefined },
  ])
  t.deepEqual(findDetails(error, DebugInfoSchema), [{ stackEntries: ['a', 'b'], detail: 'deep' }])
  t.deepEqual(findDetails(error, QuotaFailureSchema), [{ violations: [violation, { subject: '', description: '' }] }])
  t.deepEqual(findDetails(error, PreconditionFailureSchema), [{ violations: [{ type: 'TOS', ...violation }] }])
  t.deepEqual(findDetails(error, BadRequestSchema), [
    { fieldViolations: [{ field: 'title', description: 'it is empty' }] },
  ])
  t.deepEqual(findDetails(error, RequestInfoSchema), [{ requestId: '17', servingData: '' }])
  t.deepEqual(findDetails(error, ResourceInfoSchema), [
    { resourceType: 'item', resourceName: '1', owner: 'me', description: 'gone' },
  ])
  t.deepEqual(findDetails(error, HelpSchema), [{ links: [{ description: 'docs', url: 'https://shop.example' }] }])
  t.deepEqual(findDetails(error, LocalizedMessageSchema), [{ locale: 'de', message: 'falsch' }])
  t.is(error.details[5].typeUrl, 'type.googleapis.com/google.rpc.BadRequest')
})

test('only the name in a type URL counts; what is no detail is no error', (t) => {
  const { value } = packDetail(RequestInfoSchema, { requestId: '1' })
  const details = ['google.rpc.RequestInfo', '/google.rpc.RequestInfo', 'example.com/x/google.rpc.RequestInfo']
  const error = received(details.map((typeUrl) => ({ typeUrl, value })))
  t.is(findDetails(error, RequestInfoSchema).length, details.length)
  t.deepEqual(findDetails(error, HelpSchema), [])
  for (const other of [undefined, null, 'x', new Error('x'), new VoloError('INTERNAL', 'x', { details: [5, null] })]) {
    t.deepEqual(findDetails(other, RequestInfoSchema), [])
  }
})

test('a damaged detail, or a wrong one, is told', (t) => {
  const error = received([{ typeUrl: 'x/google.rpc.Help', value: new Uint8Array([0x0a, 9]) }])
  t.throws(() => findDetails(error, HelpSchema), { code: 'INVALID_ARGUMENT' })
  t.throws(() => packDetail(BadRequestSchema, { fieldViolations: [{ field: 5 as never }] }), {
    message: /BadRequest\.fieldViolations\[0\]\.field: expected string/,
  })
})
