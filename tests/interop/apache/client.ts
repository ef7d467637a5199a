/**
 * The client of Apache's cross tests.
 *
 *     node tests/interop/apache/client.js --idl ThriftTest.thrift [--port N | --domain-socket PATH] [--ssl]
 *       [--protocol binary|compact|json|header] [--transport buffered|framed] [--multiplexed] [--zlib]
 *
 * Prints `ok`, or what was not as it has to be; then the exit code is 1.
 */
import assert from 'node:assert/strict'

import { Client, timeout, type GenericService } from 'volo-js/thrift'
import { certificate, programArguments } from './arguments.js'
import { speaking } from './channel.js'
import { checkSecondService, checkThriftTest, type Caller, type SecondCaller } from './checks.js'
import { loadThriftTest } from './thrift-test.js'

const given = programArguments()
const { ThriftTest, SecondService, exceptions } = await loadThriftTest(given.idl)

function clientOf(service: GenericService): object {
  const builder = speaking(Client.of(service, 'thrift-test').address(given.address), given)
  // Names the call, where a server does not answer.
  builder.connectTimeout('20s').layerOuter(timeout('20s'))
  if (given.ssl) {
    // The server in Python asks for a certificate with the client's address, which of the fixtures only this one has.
    const identity = { cert: certificate('server.pem'), key: certificate('server.key') }
    builder.tls({ ...identity, ca: certificate('ca.pem') })
  }
  return builder.pool({ size: 1 }).build()
}

{
  await using client = clientOf(ThriftTest) as Caller & AsyncDisposable
  await checkThriftTest(client, exceptions)
  const { bytesWritten } = Client.stats(client)
  // One of its strings alone is longer.
  if (given.zlib) assert.ok(bytesWritten < 100_000, `${bytesWritten} bytes are not compressed`)
}
// Behind the other: the server in Python has one connection at a time.
if (given.multiplexed) {
  await using client = clientOf(SecondService) as SecondCaller & AsyncDisposable
  await checkSecondService(client)
}
console.log('ok')
