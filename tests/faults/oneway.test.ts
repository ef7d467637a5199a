/** Calls that nobody answers, made in ways they are not meant to be made. */
import { setTimeout as sleep } from 'node:timers/promises'

import test from 'ava'

import { Raw } from './raw.js'
import { serve } from './subject.js'
import { until } from './until.js'
import { field, framed, message, MessageType, ping, struct, text, Type } from './wire.js'

const { CALL, ONEWAY } = MessageType
const notify = (type: number, event: string) =>
  framed(message(type, 'Notify', 1, struct(field(Type.STRING, 1, text(event)))))

test('a oneway method that is called like another one, as Apache’s Go library does, is handled and not answered', async (t) => {
  const seen: string[] = []
  const { server } = await serve(t, { notify: (event) => void seen.push(event) })
  const raw = await Raw.to(t, server.address)
  raw.send(notify(CALL, 'one'), notify(CALL, 'two'), framed(ping('behind them', 7)))
  const answer = await raw.message()
  t.is(answer.sequence, 7)
  t.deepEqual(seen, ['one', 'two'])
  raw.half()
  t.is(await raw.end(), 'end')
  t.is(server.stats().inFlight, 0)
})

test('a oneway message for an ordinary method ends with its handler: it takes nobody’s place for ever', async (t) => {
  const { server } = await serve(t, {}, { maxCalls: 8 })
  const raw = await Raw.to(t, server.address)
  for (let n = 0; n < 100; n += 1) {
    raw.send(framed(message(ONEWAY, 'Ping', n, struct(field(Type.STRING, 1, text('nobody listens'))))))
    await sleep(1)
  }
  raw.send(framed(ping('somebody does', 101)))
  t.is((await raw.message()).sequence, 101)
  t.is(server.stats().inFlight, 0)
  t.is(server.stats().overloads, 0)
})

test('the handler of a oneway call that outlives its server counts for no other one', async (t) => {
  let finish!: () => void
  const finished = new Promise<void>((resolve) => (finish = resolve))
  const first = await serve(t, { notify: () => finished })
  const raw = await Raw.to(t, first.server.address)
  raw.send(notify(ONEWAY, 'slow'))
  await until('it runs', () => first.server.stats().inFlight === 1)
  await first.server.close({ grace: 0 })
  const next = await serve(t)
  finish()
  await sleep(20)
  t.is(next.server.stats().inFlight, 0)
  await next.unharmed()
})
