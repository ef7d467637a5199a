'use strict'
// gRPC's interoperability tests with grpc-js's client: `--case NAME`, `--compression gzip|deflate` to compress what it sends, `--ca FILE` for a
// server with TLS. Exit code 1 with a reason when a case fails.

const assert = require('node:assert/strict')
const { once } = require('node:events')
const { readFileSync } = require('node:fs')
const { HOST, load, options } = require('./options.cjs')

const given = options({ case: 'string', compression: 'string', ca: 'string' })
const { grpc, packages } = load(given)
const { TestService, UnimplementedService } = packages.grpc.testing

const algorithm = given.compression && grpc.compressionAlgorithms[given.compression]
const compression = algorithm ? { 'grpc.default_compression_algorithm': algorithm } : {}
const credentials = given.ca ? grpc.credentials.createSsl(readFileSync(given.ca)) : grpc.credentials.createInsecure()
const connect = (Service) => new Service(`${HOST}:${given.port}`, credentials, compression)
const client = connect(TestService)

const REQUEST_SIZES = [27182, 8, 1828, 45904]
const RESPONSE_SIZES = [31415, 9, 2653, 58979]
const INITIAL = 'x-grpc-test-echo-initial'
const TRAILING = 'x-grpc-test-echo-trailing-bin'

const payload = (size) => ({ type: 'COMPRESSABLE', body: Buffer.alloc(size) })
const output = (request, ...sizes) => ({
  responseParameters: sizes.map((size) => ({ size })),
  payload: payload(request),
})

/** Makes a call with a callback, and gives its error or its response, and its metadata. */
function call(service, method, request, metadata = new grpc.Metadata(), more = {}) {
  return new Promise((resolve) => {
    const seen = {}
    const running = service[method](request, metadata, more, (error, response) => {
      Object.assign(seen, { error, response })
    })
    running.on('metadata', (headers) => (seen.headers = headers))
    running.on('status', ({ metadata: trailers }) => setImmediate(() => resolve({ ...seen, trailers })))
  })
}

/** Bodies of all messages of a stream, and its status. */
async function drained(stream) {
  const sizes = []
  stream.on('data', ({ payload: { body } }) => sizes.push(body.length))
  // The status says the same.
  stream.on('error', () => undefined)
  const status = await new Promise((resolve) => stream.on('status', resolve))
  return { sizes, status }
}

async function expectError(promise, code, message) {
  const { error } = await promise
  assert.equal(error?.code, code)
  if (message !== undefined) assert.equal(error.details, message)
}

/** A call whose server says which size it answered with. */
async function unary(request, response, metadata) {
  const seen = await call(client, 'unaryCall', { responseSize: response, payload: payload(request) }, metadata)
  assert.equal(seen.error, null)
  assert.deepEqual(seen.response.payload.body, Buffer.alloc(response))
  return seen
}

const cases = {
  async empty_unary() {
    const { error, response } = await call(client, 'emptyCall', {})
    assert.equal(error, null)
    assert.deepEqual({ ...response }, {})
  },
  large_unary: () => unary(271828, 314159),
  async client_streaming() {
    const response = await new Promise((resolve, reject) => {
      const stream = client.streamingInputCall((error, value) => (error ? reject(error) : resolve(value)))
      for (const size of REQUEST_SIZES) stream.write({ payload: payload(size) })
      stream.end()
    })
    assert.equal(response.aggregatedPayloadSize, 74922)
  },
  async server_streaming() {
    const { sizes, status } = await drained(client.streamingOutputCall(output(0, ...RESPONSE_SIZES)))
    assert.equal(status.code, 0)
    assert.deepEqual(sizes, RESPONSE_SIZES)
  },
  async ping_pong() {
    const stream = client.fullDuplexCall()
    const ended = drained(stream)
    for (const [n, size] of REQUEST_SIZES.entries()) {
      const answered = once(stream, 'data')
      stream.write(output(size, RESPONSE_SIZES[n]))
      const [{ payload: answer }] = await answered
      assert.equal(answer.body.length, RESPONSE_SIZES[n])
    }
    stream.end()
    const { sizes, status } = await ended
    assert.equal(status.code, 0)
    assert.deepEqual(sizes, RESPONSE_SIZES)
  },
  async empty_stream() {
    const stream = client.fullDuplexCall()
    stream.end()
    const { sizes, status } = await drained(stream)
    assert.equal(status.code, 0)
    assert.deepEqual(sizes, [])
  },
  async timeout_on_sleeping_server() {
    const stream = client.fullDuplexCall(new grpc.Metadata(), { deadline: Date.now() + 1 })
    stream.write({ payload: payload(27182) })
    assert.equal((await drained(stream)).status.code, grpc.status.DEADLINE_EXCEEDED)
  },
  async cancel_after_begin() {
    const status = await new Promise((resolve) => {
      const stream = client.streamingInputCall(() => undefined)
      stream.on('status', resolve)
      stream.cancel()
    })
    assert.equal(status.code, grpc.status.CANCELLED)
  },
  async cancel_after_first_response() {
    const stream = client.fullDuplexCall()
    const ended = drained(stream)
    stream.write(output(27182, 31415))
    await once(stream, 'data')
    stream.cancel()
    assert.equal((await ended).status.code, grpc.status.CANCELLED)
  },
  async custom_metadata() {
    const binary = Buffer.from('0a0b0a0b0a0b', 'hex')
    const metadata = new grpc.Metadata()
    metadata.set(INITIAL, 'test_initial_metadata_value')
    metadata.set(TRAILING, binary)
    const check = (headers, trailers) => {
      assert.deepEqual(headers.get(INITIAL), ['test_initial_metadata_value'])
      assert.deepEqual(trailers.get(TRAILING), [binary])
    }
    const { headers, trailers } = await unary(1, 1, metadata)
    check(headers, trailers)

    const stream = client.fullDuplexCall(metadata)
    const ended = drained(stream)
    const initial = once(stream, 'metadata')
    stream.write(output(1, 1))
    const [streamHeaders] = await initial
    stream.end()
    const { status } = await ended
    assert.equal(status.code, 0)
    check(streamHeaders, status.metadata)
  },
  async status_code_and_message() {
    const responseStatus = { code: 2, message: 'test status message' }
    await expectError(call(client, 'unaryCall', { responseStatus }), 2, responseStatus.message)
    const stream = client.fullDuplexCall()
    stream.write({ responseStatus })
    stream.end()
    const { status } = await drained(stream)
    assert.equal(status.code, 2)
    assert.equal(status.details, responseStatus.message)
  },
  special_status_message() {
    const message = '\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n'
    return expectError(call(client, 'unaryCall', { responseStatus: { code: 2, message } }), 2, message)
  },
  unimplemented_method: () => expectError(call(client, 'unimplementedCall', {}), grpc.status.UNIMPLEMENTED),
  unimplemented_service: () =>
    expectError(call(connect(UnimplementedService), 'unimplementedCall', {}), grpc.status.UNIMPLEMENTED),
}

const test = cases[given.case]
if (test === undefined) {
  console.error(`interop-client: --case is one of ${Object.keys(cases).join(', ')}`)
  process.exit(2)
}
const ready = new Promise((resolve, reject) => {
  client.waitForReady(Date.now() + 10_000, (error) => (error ? reject(error) : resolve()))
})
ready.then(test).then(
  () => process.exit(0),
  (error) => {
    console.error(error)
    process.exit(1)
  },
)
