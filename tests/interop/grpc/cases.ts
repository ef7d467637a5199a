/**
 * The client's side of gRPC's interoperability tests, by their official names (grpc/grpc, doc/interop-test-descriptions.md,
 * "Client"). A case throws where the server does not do what it should.
 */
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { Client, type ClientTlsOptions, type Compression, type Metadata, type RequestInitOf } from 'volo-js'
import { TestService, UnimplementedService } from '../../volo-gen/grpc/index.js'
import { Outgoing } from './outgoing.js'
import { INITIAL, payload, TRAILING } from './service.js'

/** Clients of one server. */
export interface Subject extends AsyncDisposable {
  readonly client: Client<typeof TestService>
  readonly unimplemented: Client<typeof UnimplementedService>
  /** The same with connections of its own. */
  again(): Subject
}

/** @param options of both clients. */
export function subjectAt(
  address: string,
  options: { readonly compression?: Compression } = {},
  tls?: ClientTlsOptions,
): Subject {
  const builder = Client.of(TestService, 'interop').address(address).options(options)
  const other = Client.of(UnimplementedService, 'interop').address(address).options(options)
  const client = (tls === undefined ? builder : builder.tls(tls)).build()
  const unimplemented = (tls === undefined ? other : other.tls(tls)).build()
  return {
    client,
    unimplemented,
    again: () => subjectAt(address, options, tls),
    async [Symbol.asyncDispose]() {
      await Promise.all([Client.close(client), Client.close(unimplemented)])
    },
  }
}

type Output = RequestInitOf<typeof TestService, 'fullDuplexCall'>

const REQUEST_SIZES = [27182, 8, 1828, 45904]
const RESPONSE_SIZES = [31415, 9, 2653, 58979]

const output = (request: number, ...sizes: number[]): Output => ({
  responseParameters: sizes.map((size) => ({ size })),
  payload: payload(request),
})

async function unary({ client }: Subject, request: number, response: number, more?: object): Promise<void> {
  const answer = await client.unaryCall({ responseSize: response, payload: payload(request) }, more)
  assert.deepEqual(answer.payload?.body, new Uint8Array(response))
}

/** Lengths of the bodies of a stream. */
async function sizesOf(messages: AsyncIterable<{ readonly payload?: { body: Uint8Array } | undefined }>) {
  const sizes: number[] = []
  for await (const message of messages) sizes.push(message.payload?.body.length ?? -1)
  return sizes
}

const CUSTOM = {
  [INITIAL]: 'test_initial_metadata_value',
  [TRAILING]: Buffer.from('0a0b0a0b0a0b', 'hex').toString('base64'),
}

/** Gathers what comes with an answer, and compares it with {@link CUSTOM}. */
class Seen {
  headers: Metadata | undefined
  trailers: Metadata | undefined
  readonly options = {
    metadata: CUSTOM,
    onHeader: (headers: Metadata) => void (this.headers = headers),
    onTrailer: (trailers: Metadata) => void (this.trailers = trailers),
  }

  check(): void {
    assert.deepEqual(this.headers?.getAll(INITIAL), [CUSTOM[INITIAL]])
    assert.deepEqual(
      this.trailers?.getAll(TRAILING).map((value) => Buffer.from(value, 'base64').toString('hex')),
      ['0a0b0a0b0a0b'],
    )
  }
}

const statusOf = (code: number, message: string) => ({ responseStatus: { code, message } })

export const cases: Readonly<Record<string, (subject: Subject) => Promise<void>>> = {
  async empty_unary({ client }) {
    assert.deepEqual({ ...(await client.emptyCall({})) }, {})
  },

  large_unary: (subject) => unary(subject, 271828, 314159),

  async client_streaming({ client }) {
    const { aggregatedPayloadSize } = await client.streamingInputCall(
      REQUEST_SIZES.map((size) => ({ payload: payload(size) })),
    )
    assert.equal(aggregatedPayloadSize, 74922)
  },

  async server_streaming({ client }) {
    assert.deepEqual(await sizesOf(client.streamingOutputCall(output(0, ...RESPONSE_SIZES))), RESPONSE_SIZES)
  },

  async ping_pong({ client }) {
    const requests = new Outgoing<Output>()
    const answers = client.fullDuplexCall(requests)[Symbol.asyncIterator]()
    for (const [n, size] of REQUEST_SIZES.entries()) {
      requests.send(output(size, RESPONSE_SIZES[n]))
      const { value } = await answers.next()
      assert.equal(value?.payload?.body.length, RESPONSE_SIZES[n])
    }
    requests.end()
    assert.equal((await answers.next()).done, true)
  },

  async empty_stream({ client }) {
    assert.deepEqual(await sizesOf(client.fullDuplexCall([])), [])
  },

  async timeout_on_sleeping_server({ client }) {
    // Nothing ends the requests: the server waits for more.
    const requests = new Outgoing<Output>()
    requests.send({ payload: payload(27182) })
    await assert.rejects(sizesOf(client.fullDuplexCall(requests, { timeout: 1 })), { code: 'DEADLINE_EXCEEDED' })
  },

  async cancel_after_begin({ client }) {
    const controller = new AbortController()
    const call = client.streamingInputCall(new Outgoing(), { signal: controller.signal })
    controller.abort()
    await assert.rejects(call, { name: 'AbortError' })
  },

  async cancel_after_first_response({ client }) {
    const controller = new AbortController()
    const requests = new Outgoing<Output>()
    requests.send(output(27182, 31415))
    const answers = client.fullDuplexCall(requests, { signal: controller.signal })[Symbol.asyncIterator]()
    assert.equal((await answers.next()).done, false)
    controller.abort()
    await assert.rejects(async () => answers.next(), { name: 'AbortError' })
  },

  async custom_metadata(subject) {
    const one = new Seen()
    await unary(subject, 1, 1, one.options)
    one.check()

    const many = new Seen()
    assert.deepEqual(await sizesOf(subject.client.fullDuplexCall([output(1, 1)], many.options)), [1])
    many.check()
  },

  async status_code_and_message({ client }) {
    const request = statusOf(2, 'test status message')
    const expected = { code: 'UNKNOWN', message: 'test status message' }
    await assert.rejects(client.unaryCall(request), expected)
    await assert.rejects(sizesOf(client.fullDuplexCall([request])), expected)
  },

  async special_status_message({ client }) {
    const message = '\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n'
    await assert.rejects(client.unaryCall(statusOf(2, message)), { code: 'UNKNOWN', message })
  },

  async unimplemented_method({ client }) {
    await assert.rejects(client.unimplementedCall({}), { code: 'UNIMPLEMENTED' })
  },

  async unimplemented_service({ unimplemented }) {
    await assert.rejects(unimplemented.unimplementedCall({}), { code: 'UNIMPLEMENTED' })
  },

  async rpc_soak(subject) {
    for (let call = 0; call < 10; call++) await unary(subject, 271828, 314159)
  },

  async channel_soak(subject) {
    for (let call = 0; call < 10; call++) {
      await using again = subject.again()
      await unary(again, 271828, 314159)
    }
  },
}
