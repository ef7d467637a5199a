import test from 'ava'

import { IncomingMessages } from './incoming-messages.js'
import { pump } from './pump.js'
import { Flags } from './message-body.js'
import { SendWindow } from './send-window.js'

function incoming(): { messages: IncomingMessages<number>; used: number[]; left: () => number } {
  const used: number[] = []
  let left = 0
  const messages = new IncomingMessages<number>({ used: (count) => used.push(count), left: () => (left += 1) })
  return { messages, used, left: () => left }
}

async function all<T>(messages: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const message of messages) list.push(message)
  return list
}

test('messages are read in the order they came, whoever was first', async (t) => {
  const { messages } = incoming()
  const early = messages.next()
  messages.push(1, false)
  messages.push(2, false)
  t.deepEqual(await early, { done: false, value: 1 })
  messages.end()
  t.deepEqual(await all(messages), [2])
  t.deepEqual(await messages.next(), { done: true, value: undefined })
})

test('an error comes after the messages before it, once', async (t) => {
  const { messages } = incoming()
  messages.push(1, false)
  messages.fail(new Error('broken'))
  messages.push(2, false)
  t.deepEqual(await messages.next(), { done: false, value: 1 })
  await t.throwsAsync(messages.next(), { message: 'broken' })
  t.deepEqual(await messages.next(), { done: true, value: undefined })
})

test('of several that wait one gets the error, the others the end', async (t) => {
  const { messages } = incoming()
  const [first, second] = [messages.next(), messages.next()]
  messages.fail(new Error('broken'))
  await t.throwsAsync(first, { message: 'broken' })
  t.deepEqual(await second, { done: true, value: undefined })
})

test('credit is given for what was read, not for what has arrived', async (t) => {
  const { messages, used } = incoming()
  for (let n = 1; n <= 6; n += 1) messages.push(n, n % 3 === 0)
  t.deepEqual(used, [])
  await messages.next()
  await messages.next()
  t.deepEqual(used, [])
  await messages.next()
  t.deepEqual(used, [3])
  for (let n = 0; n < 3; n += 1) await messages.next()
  t.deepEqual(used, [3, 3])
})

test('who leaves early is told, and does not hold the sender up', async (t) => {
  const { messages, used, left } = incoming()
  messages.push(1, false)
  messages.push(2, true)
  for await (const message of messages) {
    t.is(message, 1)
    break
  }
  t.is(left(), 1)
  t.deepEqual(used, [2])
  messages.push(3, false)
  messages.push(4, true)
  t.deepEqual(used, [2, 2])
  t.deepEqual(await messages.next(), { done: true, value: undefined })
  await messages.return()
  t.is(left(), 1)
})

test('a window closes after two marks, and opens with credit', async (t) => {
  const window = new SendWindow()
  const flags: number[] = []
  while (window.isOpen) flags.push(window.count(1))
  t.is(flags.length, 64)
  t.deepEqual(
    flags.flatMap((flag, index) => (flag === Flags.WANTS_CREDIT ? [index] : [])),
    [31, 63],
  )
  const opened = window.opened()
  window.credit(31)
  t.false(window.isOpen)
  window.credit(1)
  t.true(window.isOpen)
  await opened
})

test('large messages close a window sooner', (t) => {
  const window = new SendWindow()
  t.is(window.count(10_000), 0)
  t.is(window.count(30_000), Flags.WANTS_CREDIT)
  t.true(window.isOpen)
  t.is(window.count(1_000_000), Flags.WANTS_CREDIT)
  t.false(window.isOpen)
  window.credit(3)
  t.true(window.isOpen)
})

test('a pump waits for credit, and closes the iterable of whom nobody wants more', async (t) => {
  const window = new SendWindow()
  const sent: number[] = []
  let isOver = false
  let closed = false
  async function* numbers(): AsyncGenerator<number> {
    try {
      for (let n = 0; ; n += 1) yield await Promise.resolve(n)
    } finally {
      closed = true
    }
  }
  const sink = {
    window,
    get isOver() {
      return isOver
    },
    send: (message: unknown) => {
      sent.push(message as number)
      window.count(1)
    },
  }
  const done = pump(numbers(), sink)
  await new Promise(setImmediate)
  t.is(sent.length, 64)
  window.credit(32)
  await new Promise(setImmediate)
  t.is(sent.length, 96)
  isOver = true
  window.end()
  await done
  t.true(closed)
  t.is(sent.length, 96)
})

test('an array is pumped too, and what an iterable throws gets out', async (t) => {
  const sent: unknown[] = []
  const sink = { window: new SendWindow(), isOver: false, send: (message: unknown) => sent.push(message) }
  await pump([1, 2], sink)
  t.deepEqual(sent, [1, 2])
  function* broken(): Generator<number> {
    yield 3
    throw new Error('broken')
  }
  await t.throwsAsync(pump(broken(), sink), { message: 'broken' })
})
