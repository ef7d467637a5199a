/** Errors with every kind of detail, to grpc-go and from it. */
import test from 'ava'
import {
  BadRequestSchema,
  Client,
  DebugInfoSchema,
  ErrorInfoSchema,
  findDetails,
  GrpcError,
  HelpSchema,
  LocalizedMessageSchema,
  packDetail,
  PreconditionFailureSchema,
  QuotaFailureSchema,
  RequestInfoSchema,
  ResourceInfoSchema,
  RetryInfoSchema,
  Server,
} from 'volo-js/grpc'
import { TestService } from '../../volo-gen/grpc/index.js'
import { goErrorDetailsClient, goErrorDetailsServer } from './peers.js'
import { testService } from './service.js'

/** The program of grpc-go has the same. */
const errorInfo = { reason: 'OLD', domain: 'shop.example', metadata: { age: '9' } }
const retryInfo = { retryDelay: { seconds: 2n, nanos: 5 } }
const debugInfo = { stackEntries: ['a', 'b'], detail: 'deep' }
const quotaFailure = { violations: [{ subject: 'me', description: 'too many' }] }
const preconditionFailure = { violations: [{ type: 'TOS', subject: 'me', description: 'not read' }] }
const badRequest = {
  fieldViolations: [
    { field: 'title', description: 'it is empty' },
    { field: 'id', description: 'ümläut' },
  ],
}
const requestInfo = { requestId: '17', servingData: 'data' }
const resourceInfo = { resourceType: 'item', resourceName: '1', owner: 'me', description: 'gone' }
const help = { links: [{ description: 'docs', url: 'https://shop.example' }] }
const localizedMessage = { locale: 'de', message: 'falsch' }

test('grpc-go reads the details of our errors', async (t) => {
  const server = Server.of(TestService, {
    ...testService,
    unaryCall: () => {
      const details = [
        packDetail(ErrorInfoSchema, errorInfo),
        packDetail(RetryInfoSchema, retryInfo),
        packDetail(DebugInfoSchema, debugInfo),
        packDetail(QuotaFailureSchema, quotaFailure),
        packDetail(PreconditionFailureSchema, preconditionFailure),
        packDetail(BadRequestSchema, badRequest),
        packDetail(RequestInfoSchema, requestInfo),
        packDetail(ResourceInfoSchema, resourceInfo),
        packDetail(HelpSchema, help),
        packDetail(LocalizedMessageSchema, localizedMessage),
      ]
      throw new GrpcError('INVALID_ARGUMENT', 'wrong in every way', { details })
    },
  })
  const handle = await server.listen('127.0.0.1:0')
  const { code, output } = await goErrorDetailsClient(handle.address.replace(/.*:/, ''))
  t.is(code, 0, output)
  await handle.close()
})

test("we read the details of grpc-go's errors", async (t) => {
  const server = await goErrorDetailsServer()
  const client = Client.of(TestService, 'details').address(server.address).build()
  try {
    const error = await t.throwsAsync(client.unaryCall({}), { instanceOf: GrpcError })
    t.like(error, { code: 'INVALID_ARGUMENT', message: 'wrong in every way' })
    t.deepEqual(findDetails(error, ErrorInfoSchema), [errorInfo])
    t.deepEqual(findDetails(error, RetryInfoSchema), [retryInfo])
    t.deepEqual(findDetails(error, DebugInfoSchema), [debugInfo])
    t.deepEqual(findDetails(error, QuotaFailureSchema), [quotaFailure])
    t.deepEqual(findDetails(error, PreconditionFailureSchema), [preconditionFailure])
    t.deepEqual(findDetails(error, BadRequestSchema), [badRequest])
    t.deepEqual(findDetails(error, RequestInfoSchema), [requestInfo])
    t.deepEqual(findDetails(error, ResourceInfoSchema), [resourceInfo])
    t.deepEqual(findDetails(error, HelpSchema), [help])
    t.deepEqual(findDetails(error, LocalizedMessageSchema), [localizedMessage])
    t.is(error.details.length, 10)
  } finally {
    await Client.close(client)
    await server.stop()
  }
})
