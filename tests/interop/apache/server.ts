/**
 * The server of Apache's cross tests. It tells framings and protocols apart by itself, so flags about them are not looked at.
 *
 *     node tests/interop/apache/server.js --idl ThriftTest.thrift [--port N | --domain-socket PATH] [--ssl]
 *
 * Prints `listening on ADDRESS`, ends on SIGTERM, and says then which methods were called. Exit code 1 if something arrived that is not Thrift.
 */
import process from 'node:process'
import { layerFn, Server } from 'volo-js/thrift'
import { certificate, programArguments } from './arguments.js'
import { secondService, thriftTest } from './handlers.js'
import { loadThriftTest } from './thrift-test.js'

const { idl, address, ssl } = programArguments()
const { ThriftTest, SecondService, exceptions } = await loadThriftTest(idl)

const called = new Set<string>()
const server = new Server()
  .add(ThriftTest, thriftTest(exceptions))
  .add(SecondService, secondService)
  .layer(
    layerFn('called', (cx, request, next) => {
      called.add(cx.method.wireName)
      return next(cx, request)
    }),
  )
  // `testException` fails where it is asked to.
  .options({ onError: () => undefined })
if (ssl) {
  const identity = { cert: certificate('server.pem'), key: certificate('server.key') }
  server.tls({ ...identity, ca: certificate('ca.pem'), clientCertificate: 'optional' })
}

let protocolErrors = 0
await server.run(address, (handle) => {
  console.log(`listening on ${handle.address}`)
  void handle.closed.then(() => ({ protocolErrors } = handle.stats()))
})
console.log(`called: ${[...called].join(' ')}`)
if (protocolErrors > 0) {
  console.error(`${protocolErrors} protocol errors`)
  process.exitCode = 1
}
