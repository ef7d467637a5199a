/**
 * The clients of a soak run: `load.mjs ADDRESS SEED`. Questions: `usage`, `counts`, `finish`, which stops, waits for what is in flight, and tells
 * the counts.
 */
import process from 'node:process'
import { setTimeout as wait } from 'node:timers/promises'

import { built } from '../lib/built.mjs'
import { answering, usage } from './usage.mjs'

const { Client, TransportError, ThriftApplicationError, VoloError } = await built('dist/bundle/thrift/index.js')
const { Denied, Everything, NotFound } = await built('tests/volo-gen/index.js')
const { seeded } = await built('tests/soundness/random.js')

const [address, seed] = process.argv.slice(2)
const random = seeded(Number(seed))

/** Every call is in `made` and, once it has ended, in exactly one of the others. */
const counts = { made: 0, answered: 0, failed: 0, expired: 0, cancelled: 0, wrong: 0 }
/** @type {string[]} what went wrong; the first few */
const wrongs = []
let over = false

const gaveUp = new Error('given up')

/**
 * Makes a call and counts how it ends.
 * @param {() => Promise<unknown>} call
 * @param {(answer: unknown) => boolean} right
 */
async function made(call, right) {
  counts.made += 1
  try {
    const answer = await call()
    if (right(answer)) counts.answered += 1
    else wrong(`answered ${String(answer).slice(0, 100)}`)
  } catch (thrown) {
    const error = /** @type {Error & { code?: string }} */ (thrown)
    if (error === gaveUp) counts.cancelled += 1
    else if (error instanceof NotFound || error instanceof Denied || error instanceof ThriftApplicationError) {
      if (right(error)) counts.answered += 1
      else wrong(String(error))
    } else if (VoloError.is(error) && error.code === 'DEADLINE_EXCEEDED') counts.expired += 1
    else if (error instanceof TransportError) counts.failed += 1
    else wrong(error.stack ?? String(error))
  }
}

/** @param {string} what */
function wrong(what) {
  counts.wrong += 1
  if (wrongs.length < 5) wrongs.push(what)
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
const kept = [pipelined, pool, brief, buffered]
const any = () => random.of(kept)

const KIB = 'x'.repeat(1024)
const bytes = new Uint8Array(1024).fill(7)
const texts = ['', 'a', 'ümläut', '🎈'.repeat(40), 'x'.repeat(300), 'y'.repeat(1100), 'ü'.repeat(3000)]
const large = new Uint8Array(200_000).fill(3)

/** @param {number} length */
const isBytes = (length) => (/** @type {unknown} */ answer) => answer instanceof Uint8Array && answer.length === length

/** Ends after at most `most` milliseconds. @param {number} most */
function abortSoon(most) {
  const controller = new AbortController()
  setTimeout(() => controller.abort(gaveUp), random.below(most))
  return controller.signal
}

/** What happens, over and over; each in as many lanes as it says. @type {readonly [lanes: number, step: () => Promise<void>][]} */
const steps = [
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
      const ids = Array.from({ length: 1 + Math.floor(random.below(300)) }, (_, n) => BigInt(n))
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
      const kind = Math.floor(random.below(5))
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
      const text = `${Math.floor(random.below(20))} ms`
      await made(
        () => any().toString(text, { signal: abortSoon(20) }),
        (answer) => answer === text,
      )
    },
  ],
  [
    3,
    async () => {
      const text = `${Math.floor(random.below(20))} ms`
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

const lanes = steps.flatMap(([count, step]) =>
  Array.from({ length: count }, async () => {
    while (!over) {
      await step()
      // So that no lane keeps the others from their turn.
      if (random.below(50) < 1) await wait(1)
    }
  }),
)

answering({
  usage,
  counts: () => counts,
  finish: async () => {
    over = true
    // Longer than any deadline in it; a call that has not ended by then never will.
    const late = new AbortController()
    await Promise.race([Promise.all(lanes), wait(20_000, undefined, { signal: late.signal }).catch(() => undefined)])
    late.abort()
    // What was given up last may not have reached the core, or its threads, yet.
    for (let n = 0; n < 100 && kept.some((client) => Client.stats(client).inFlight > 0); n += 1) await wait(20)
    const stats = kept.map((client) => Client.stats(client))
    await Promise.all(kept.map((client) => Client.close(client)))
    setImmediate(() => process.disconnect())
    return { counts, wrongs, stats }
  },
})
process.stdout.write('listening on nothing\n')
