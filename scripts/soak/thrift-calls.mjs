/** What callers of Thrift do in a soak run. */
import process from 'node:process'
import { setTimeout as wait } from 'node:timers/promises'

import { built } from '../lib/built.mjs'
import { Accounts } from './accounts.mjs'
import { abortSoon, random, whole } from './random.mjs'
import { trusted } from './tls.mjs'

const { Client, TransportError, ThriftApplicationError, VoloError } = await built('dist/bundle/thrift/index.js')
const { Denied, Everything, NotFound } = await built('tests/volo-gen/index.js')

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
  if (error instanceof NotFound || error instanceof Denied || error instanceof ThriftApplicationError) return 'answer'
  const { code } = /** @type {{ code?: string }} */ (error)
  if (VoloError.is(error) && code === 'DEADLINE_EXCEEDED') return 'expired'
  return error instanceof TransportError ? 'failed' : undefined
}

/**
 * A client of one kind.
 * @param {'pipelined' | 'pool' | 'brief'} kind `brief`: a small pool whose connections live for a moment
 */
function clientOf(kind) {
  const builder = Client.of(Everything, 'everything').address(address)
  if (kind === 'pipelined') return builder.pipelined().build()
  return builder.pool(kind === 'brief' ? { size: 4, maxLifetime: '50ms' } : { size: 16 }).build()
}

const pipelined = clientOf('pipelined')
const pool = clientOf('pool')
const brief = clientOf('brief')
const buffered = Client.of(Everything, 'everything').address(address).transport('buffered').pool({ size: 2 }).build()
const secure = Client.of(Everything, 'everything').address(encrypted).tls(trusted).pool({ size: 4 }).build()

/** Those that stay. */
export const kept = [pipelined, pool, brief, buffered, secure]
const any = () => random.of(kept)

const KIB = 'x'.repeat(1024)
const bytes = new Uint8Array(1024).fill(7)
const texts = ['', 'a', 'ümläut', '🎈'.repeat(40), 'x'.repeat(300), 'y'.repeat(1100), 'ü'.repeat(3000)]
const large = new Uint8Array(200_000).fill(3)

/** @param {number} length */
const isBytes = (length) => (/** @type {unknown} */ answer) => answer instanceof Uint8Array && answer.length === length

/** What happens, over and over; each in as many lanes as it says. @type {readonly [lanes: number, step: () => Promise<void>][]} */
export const steps = [
  // Small, and as fast as it goes.
  [
    8,
    () =>
      made(
        () => pipelined.ping('Hello Volo'),
        (answer) => answer === 'Hello Volo',
      ),
  ],
  [
    4,
    () =>
      made(
        () => pool.ping('Hello Volo'),
        (answer) => answer === 'Hello Volo',
      ),
  ],
  [
    4,
    () =>
      made(
        () => pipelined.ping(KIB),
        (answer) => answer === KIB,
      ),
  ],
  [4, () => made(() => pool.echoBinary(bytes), isBytes(1024))],
  [
    2,
    async () => {
      const text = random.of(texts)
      await made(
        () => any().toString(text),
        (answer) => answer === text,
      )
    },
  ],
  [1, () => made(() => any().echoBinary(large), isBytes(large.length))],
  [
    1,
    () =>
      made(
        () => any().echoList(texts),
        (answer) => String(answer) === String(texts),
      ),
  ],
  // Batches, whose promises settle together.
  [
    1,
    async () => {
      const ids = Array.from({ length: 1 + whole(300) }, (_, n) => BigInt(n))
      await Promise.all(
        ids.map((id) =>
          made(
            () => any().add({ a: id, b: 1n }),
            (sum) => sum === id + 1n,
          ),
        ),
      )
    },
  ],
  // Exceptions that are declared, and errors that are not.
  [
    2,
    async () => {
      const kind = whole(5)
      const right = [
        (/** @type {unknown} */ a) => a === 'kind 0',
        (/** @type {unknown} */ a) => a instanceof NotFound,
        (/** @type {unknown} */ a) => a instanceof Denied,
        (/** @type {unknown} */ a) => a instanceof ThriftApplicationError,
        (/** @type {unknown} */ a) => a === 'kind 4',
      ]
      await made(() => any().fail(kind), right[kind])
    },
  ],
  [
    1,
    () =>
      made(
        () => any().notify('event'),
        (answer) => answer === undefined,
      ),
  ],
  // Given up, before or after they are answered, waiting for a connection or not.
  [
    3,
    async () => {
      const text = `${whole(20)} ms`
      await made(
        () => any().toString(text, { signal: abortSoon(20) }),
        (answer) => answer === text,
      )
    },
  ],
  [
    3,
    async () => {
      const text = `${whole(20)} ms`
      const timeout = 1 + random.below(20)
      await made(
        () => any().toString(text, { timeout }),
        (answer) => answer === text,
      )
    },
  ],
  // Clients that are built, used and closed, with calls in flight or without.
  [
    1,
    async () => {
      const client = clientOf(random.of(['pipelined', 'pool']))
      const calls = Array.from({ length: 5 }, () =>
        made(
          () => client.toString('3 ms'),
          (answer) => answer === '3 ms',
        ),
      )
      if (random.below(2) < 1) await Promise.all(calls)
      await Promise.all([Client.close(client, { grace: random.of([0, 1000]) }), ...calls])
    },
  ],
  // And those that nobody closes.
  [
    1,
    async () => {
      const client = clientOf(random.of(['pipelined', 'pool']))
      await made(
        () => client.ping('once'),
        (answer) => answer === 'once',
      )
      await wait(20)
    },
  ],
]
