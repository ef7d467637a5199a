'use strict'
// The server of gRPC's interoperability tests on grpc-js; with TLS if it is given `--cert FILE --key FILE`.

const { readFileSync } = require('node:fs')
const { setTimeout: sleep } = require('node:timers/promises')
const { HOST, listening, load, options } = require('./options.cjs')

const given = options({ cert: 'string', key: 'string' })
const { grpc, packages } = load(given)
const { TestService } = packages.grpc.testing

const INITIAL = 'x-grpc-test-echo-initial'
const TRAILING = 'x-grpc-test-echo-trailing-bin'

/** Gives back the metadata that asks for it; the trailing one is for the end of the call. */
function echo(call) {
  const initial = call.metadata.get(INITIAL)
  if (initial.length > 0) {
    const headers = new grpc.Metadata()
    headers.set(INITIAL, initial[0])
    call.sendMetadata(headers)
  }
  const trailers = new grpc.Metadata()
  for (const value of call.metadata.get(TRAILING)) trailers.add(TRAILING, value)
  return trailers
}

const payload = (size) => ({ type: 'COMPRESSABLE', body: Buffer.alloc(size) })

/** The failure that a request asks for, if it does. */
const failure = ({ responseStatus }, metadata) =>
  responseStatus?.code ? { code: responseStatus.code, details: responseStatus.message, metadata } : undefined

async function answer(call, request) {
  for (const { size, intervalUs } of request.responseParameters) {
    if (intervalUs > 0) await sleep(intervalUs / 1000)
    if (call.cancelled) return
    call.write({ payload: payload(size) })
  }
}

function unary(call, reply) {
  const trailers = echo(call)
  const failed = failure(call.request, trailers)
  if (failed) reply(failed)
  else reply(null, { payload: payload(call.request.responseSize) }, trailers)
}

const handlers = {
  emptyCall: (call, reply) => reply(null, {}, echo(call)),
  unaryCall: unary,
  cacheableUnaryCall: unary,
  async streamingOutputCall(call) {
    const trailers = echo(call)
    await answer(call, call.request)
    call.end(trailers)
  },
  streamingInputCall(call, reply) {
    let sum = 0
    call.on('data', (request) => (sum += request.payload?.body.length ?? 0))
    call.on('end', () => reply(null, { aggregatedPayloadSize: sum }))
  },
  fullDuplexCall(call) {
    const trailers = echo(call)
    let answered = Promise.resolve()
    let failed
    call.on('data', (request) => {
      failed ??= failure(request, trailers)
      if (failed) call.emit('error', failed)
      else answered = answered.then(() => answer(call, request))
    })
    call.on('end', () => void answered.then(() => failed || call.end(trailers)))
  },
  halfDuplexCall(call) {
    const trailers = echo(call)
    const requests = []
    call.on('data', (request) => requests.push(request))
    call.on('end', async () => {
      for (const request of requests) await answer(call, request)
      call.end(trailers)
    })
  },
}

// UnimplementedCall is for nobody to implement.
const { UnimplementedCall: _, ...methods } = TestService.service
const server = new grpc.Server()
server.addService(methods, handlers)
const credentials = given.cert
  ? grpc.ServerCredentials.createSsl(null, [{ cert_chain: readFileSync(given.cert), private_key: readFileSync(given.key) }])
  : grpc.ServerCredentials.createInsecure()
server.bindAsync(`${HOST}:${given.port}`, credentials, (error, port) => {
  if (error) throw error
  listening(port)
})
