/** What callers of gRPC do in a soak run: unary calls and streams, mixed with cancellations, deadlines and resets. */
import process from 'node:process'
import { setTimeout as wait } from 'node:timers/promises'

import { built } from '../lib/built.mjs'
import { Accounts, gaveUp } from './accounts.mjs'
import { abortSoon, random, whole } from './random.mjs'
import { trusted } from './tls.mjs'

const { Client, GrpcError, TransportError, VoloError } = await built('dist/bundle/index.js')
const { TestService } = await built('tests/volo-gen/grpc/index.js')

const [address, encrypted] = process.argv.slice(2)

export const accounts = new Accounts()

/**
 * @param {() => Promise<unknown>} call
 * @param {(answer: unknown) => boolean} right
 */
const made = (call, right) => accounts.made(call, right, endOf)

/**
 * @param {unknown} error
 * @returns {import('./accounts.mjs').Unanswered | 'answer' | undefined}
 */
function endOf(error) {
  if (error instanceof TransportError) return 'failed'
  // The caller's clock and the server's run side by side: the server may tell of the end first, with either code.
  const { code } = /** @type {{ code?: string }} */ (error)
  if (VoloError.is(error) && code === 'DEADLINE_EXCEEDED') return 'expired'
  return error instanceof GrpcError ? 'answer' : undefined
}

const plain = Client.of(TestService, 'test').address(address).build()
const several = Client.of(TestService, 'test').address(address).options({ connections: 3 }).build()
const gzipped = Client.of(TestService, 'test').address(address).options({ compression: 'gzip' }).build()
const secure = Client.of(TestService, 'test').address(encrypted).tls(trusted).build()

/** Those that stay. */
export const kept = [plain, several, gzipped, secure]
const any = () => random.of(kept)

/** @param {number} size */
const payload = (size) => ({ body: new Uint8Array(size) })

/** @param {number} size */
const isPayload = (size) => (/** @type {unknown} */ answer) =>
  /** @type {{ payload?: { body: Uint8Array } }} */ (answer).payload?.body.length === size

/** Sizes of the messages of a stream, and the pauses before them in microseconds. @param {number} most @param {number} pause */
const parameters = (most, pause = 0) =>
  Array.from({ length: 1 + whole(most) }, () => ({ size: whole(2000), intervalUs: whole(pause + 1) }))

/** @param {{ size: number }[]} asked */
const sizesOf = (asked) => asked.map(({ size }) => size)

/**
 * The sizes of the messages of a stream.
 * @param {AsyncIterable<{ payload?: { body: Uint8Array } }>} messages
 * @param {number} [most] leaves the stream after so many
 */
async function sizes(messages, most = Infinity) {
  const read = []
  for await (const message of messages) {
    read.push(message.payload?.body.length)
    // Resets the stream.
    if (read.length >= most) throw gaveUp
  }
  return read
}

/** @param {readonly number[]} expected */
const are = (expected) => (/** @type {unknown} */ read) => String(read) === String(expected)

/** Requests, and pauses between them. @param {readonly object[]} requests @param {number} pause milliseconds at most */
async function* slowly(requests, pause) {
  for (const request of requests) {
    await wait(random.below(pause))
    yield request
  }
}

/** What happens, over and over; each in as many lanes as it says. @type {readonly [lanes: number, step: () => Promise<void>][]} */
export const steps = [
  // Small, and as fast as it goes.
  [8, () => made(() => plain.unaryCall({ responseSize: 64, payload: payload(64) }), isPayload(64))],
  [2, () => made(() => several.unaryCall({ responseSize: 1024, payload: payload(10) }), isPayload(1024))],
  [2, () => made(() => secure.unaryCall({ responseSize: 64, payload: payload(64) }), isPayload(64))],
  [1, () => made(() => gzipped.unaryCall({ responseSize: 3000, payload: payload(3000) }), isPayload(3000))],
  [1, () => made(() => any().unaryCall({ responseSize: 500_000, payload: payload(500_000) }), isPayload(500_000))],
  // Streams of each kind.
  [
    2,
    () => {
      const asked = parameters(100)
      return made(() => sizes(any().streamingOutputCall({ responseParameters: asked })), are(sizesOf(asked)))
    },
  ],
  [
    2,
    () => {
      const sent = parameters(100)
      const sum = sent.reduce((all, { size }) => all + size, 0)
      return made(
        () => any().streamingInputCall(sent.map(({ size }) => ({ payload: payload(size) }))),
        (answer) => /** @type {{ aggregatedPayloadSize: number }} */ (answer).aggregatedPayloadSize === sum,
      )
    },
  ],
  [
    2,
    () => {
      const asked = parameters(20)
      const requests = asked.map((one) => ({ responseParameters: [one] }))
      return made(() => sizes(any().fullDuplexCall(slowly(requests, 3))), are(sizesOf(asked)))
    },
  ],
  // A reader that is slower than its handler.
  [
    1,
    () => {
      const asked = Array.from({ length: 50 }, () => ({ size: 20_000, intervalUs: 0 }))
      const read = async () => {
        const seen = []
        for await (const { payload: body } of any().streamingOutputCall({ responseParameters: asked })) {
          seen.push(body.body.length)
          await wait(1)
        }
        return seen
      }
      return made(read, are(sizesOf(asked)))
    },
  ],
  // Errors, and methods that are not there.
  [
    1,
    () => {
      const code = 1 + whole(16)
      return made(
        () => any().unaryCall({ responseStatus: { code, message: `status ${code}` } }),
        (error) => /** @type {Error} */ (error).message === `status ${code}`,
      )
    },
  ],
  [
    1,
    () =>
      made(
        () => any().unimplementedCall({}),
        (error) => /** @type {{ code?: string }} */ (error).code === 'UNIMPLEMENTED',
      ),
  ],
  // Given up by a signal, at any moment.
  [2, () => made(() => any().unaryCall({ responseSize: 64 }, { signal: abortSoon(5) }), isPayload(64))],
  [
    2,
    () => {
      const asked = parameters(20, 4000)
      const call = () => sizes(any().streamingOutputCall({ responseParameters: asked }, { signal: abortSoon(30) }))
      return made(call, are(sizesOf(asked)))
    },
  ],
  // Reset by who reads, and by who writes.
  [
    2,
    () => {
      const asked = parameters(40, 500)
      return made(
        () => sizes(any().streamingOutputCall({ responseParameters: asked }), 1 + whole(10)),
        are(sizesOf(asked)),
      )
    },
  ],
  [
    1,
    () => {
      async function* breaking() {
        for (let n = whole(10); n >= 0; n -= 1) yield { payload: payload(100) }
        await wait(random.below(5))
        throw gaveUp
      }
      return made(
        () => any().streamingInputCall(breaking()),
        () => false,
      )
    },
  ],
  // Deadlines.
  [
    2,
    () => {
      const asked = parameters(20, 4000)
      const timeout = 1 + random.below(30)
      return made(
        () => sizes(any().streamingOutputCall({ responseParameters: asked }, { timeout })),
        are(sizesOf(asked)),
      )
    },
  ],
  [
    1,
    () => {
      const asked = parameters(20)
      const requests = asked.map((one) => ({ responseParameters: [one] }))
      const timeout = 1 + random.below(40)
      return made(() => sizes(any().fullDuplexCall(slowly(requests, 5), { timeout })), are(sizesOf(asked)))
    },
  ],
  // Clients that are built, used and closed, with calls in flight or without.
  [
    1,
    async () => {
      const [to, how] = random.of([
        [address, {}],
        [encrypted, trusted],
      ])
      const builder = Client.of(TestService, 'test').address(to)
      const client = to === address ? builder.build() : builder.tls(how).build()
      const asked = parameters(3, 3000)
      const calls = Array.from({ length: 5 }, () =>
        made(() => sizes(client.streamingOutputCall({ responseParameters: asked })), are(sizesOf(asked))),
      )
      if (random.below(2) < 1) await Promise.all(calls)
      await Promise.all([Client.close(client, { grace: random.of([0, 1000]) }), ...calls])
    },
  ],
]
