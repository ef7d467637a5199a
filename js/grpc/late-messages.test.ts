import { setTimeout as sleep } from 'node:timers/promises'

import test from 'ava'

import { IncomingMessages } from './incoming-messages.js'
import { LateMessages } from './late-messages.js'

/** A stream that says what becomes of it. */
function stream(): { messages: IncomingMessages<number>; left: () => number } {
  let left = 0
  const messages = new IncomingMessages<number>({ used: () => undefined, left: () => (left += 1) })
  return { messages, left: () => left }
}

const nothing = (): void => undefined

test('messages of a stream that begins later', async (t) => {
  const { messages, left } = stream()
  const late = new LateMessages(sleep(10, messages), nothing)
  messages.push(1, false)
  messages.push(2, false)
  messages.end()
  t.deepEqual(
    [await late.next(), await late.next()],
    [1, 2].map((value) => ({ done: false, value })),
  )
  t.true((await late.next()).done)
  t.is(left(), 0)
})

test('a reader that leaves before it has begun leaves it when it has', async (t) => {
  const { messages, left } = stream()
  const late = new LateMessages(sleep(10, messages), nothing)
  t.true((await late.return()).done)
  t.true((await late.next()).done)
  t.is(left(), 0)
  await sleep(30)
  t.is(left(), 1)
})

test('a reader that waits may leave as well', async (t) => {
  const { messages, left } = stream()
  const late = new LateMessages(Promise.resolve(messages), nothing)
  const waiting = late.next()
  await late.return()
  t.true((await waiting).done)
  t.is(left(), 1)
})

test('one that never begins is told to its reader, and to whoever keeps the call', async (t) => {
  let failed = 0
  const late = new LateMessages<number>(Promise.reject(new Error('no stream')), () => (failed += 1))
  await t.throwsAsync(late.next(), { message: 'no stream' })
  const left = new LateMessages<number>(Promise.reject(new Error('no stream')), () => (failed += 1))
  await left.return()
  await sleep(0)
  t.is(failed, 2)
})
