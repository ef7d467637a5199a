/** Tools that people point at a gRPC server. */
import test from 'ava'
import { fileURLToPath } from 'node:url'
import { Server } from 'volo-js'
import { TestService } from '../../volo-gen/grpc/index.js'
import { ghz, grpcurl, h2spec } from './peers.js'
import { testService } from './service.js'

const protos = fileURLToPath(new URL('../../fixtures/grpc', import.meta.url))

async function serving(use: (address: string, port: string) => Promise<void>): Promise<void> {
  const server = await Server.of(TestService, testService)
    // What h2spec does is told by h2spec.
    .options({ onEvent: () => undefined })
    .listen('127.0.0.1:0')
  try {
    await use(server.address, server.address.replace(/.*:/, ''))
  } finally {
    await server.close({ grace: '1s' })
  }
}

test('grpcurl calls with the IDL at hand', async (t) => {
  await serving(async (address) => {
    const given = ['-plaintext', '-import-path', protos, '-proto', 'test.proto']
    const call = (data: string, method: string) =>
      grpcurl(...given, '-d', data, address, `grpc.testing.TestService/${method}`)

    const one = await call('{"response_size": 3}', 'UnaryCall')
    t.is(one.code, 0, one.output)
    t.deepEqual(JSON.parse(one.output), { payload: { body: 'AAAA' } })

    const sizes = '{"response_parameters": [{"size": 1}, {"size": 2}]}'
    const stream = await call(sizes, 'StreamingOutputCall')
    t.is(stream.code, 0, stream.output)
    t.is(stream.output.replace(/\s/g, ''), '{"payload":{"body":"AA=="}}{"payload":{"body":"AAA="}}')

    const failed = await call('{"response_status": {"code": 5, "message": "not here"}}', 'UnaryCall')
    t.not(failed.code, 0)
    t.regex(failed.output, /Code: NotFound\s+Message: not here/)
  })
})

test('ghz gets an answer to every call', async (t) => {
  await serving(async (address) => {
    const { code, output, stdout } = await ghz(
      ...['--insecure', '--import-paths', protos, '--proto', `${protos}/test.proto`],
      ...['--call', 'grpc.testing.TestService.UnaryCall', '--data', '{"response_size": 100}'],
      ...['--total', '2000', '--concurrency', '20', '--connections', '4', '--format', 'json', address],
    )
    t.is(code, 0, output)
    const { count, statusCodeDistribution } = JSON.parse(stdout) as {
      readonly count: number
      readonly statusCodeDistribution: Readonly<Record<string, number>>
    }
    t.is(count, 2000)
    t.deepEqual(statusCodeDistribution, { OK: 2000 })
  })
})

test('h2spec finds nothing wrong', async (t) => {
  await serving(async (_address, port) => {
    const path = '/grpc.testing.TestService/EmptyCall'
    // What is no gRPC is refused as soon as its head has come. On a busy machine that answer has left before h2spec sends what a case is about, and is taken
    // for the answer to it. So a case is wrong that fails each time.
    let wrong: string[] | undefined
    for (let tries = 0; tries < 6 && wrong?.length !== 0; tries++) {
      const { output } = await h2spec('-h', '127.0.0.1', '-p', port, '-P', path, '-o', '5')
      t.regex(output, /145 tests, \d+ passed, 0 skipped, \d+ failed/, output)
      // What failed is told once more at the end.
      const failures: readonly string[] = output.split('Failures:').at(1)?.match(/× .*$/gm) ?? []
      wrong = wrong?.filter((failure) => failures.includes(failure)) ?? [...failures]
    }
    t.deepEqual(wrong, [])
  })
})
