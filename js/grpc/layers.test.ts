/** Layers around streams: they may put iterables of their own in the place of what they were given. */
import test, { type ExecutionContext } from 'ava'

import { Client } from '../core/client.js'
import type { GrpcContext } from '../core/context.js'
import { layerFn, type Layer } from '../core/layer.js'
import { Server } from '../core/server.js'
import { all, handlers, ItemService, type Item, type ItemClient } from './items.test.helper.js'

/** A client and a server with layers, and what was closed early of the iterables they wrapped. */
async function pair(
  t: ExecutionContext,
  layers: { server?: Layer<GrpcContext>; client?: Layer<GrpcContext> },
): Promise<ItemClient> {
  const server = new Server().add(ItemService, handlers({}))
  if (layers.server !== undefined) server.layer(layers.server as never)
  const handle = await server.listen('127.0.0.1:0')
  const builder = Client.of(ItemService, 'items').address(handle.address)
  if (layers.client !== undefined) builder.layerOuter(layers.client)
  const client = builder.build()
  t.teardown(async () => {
    await Client.close(client, { grace: '100ms' })
    await handle.close({ grace: '100ms' })
  })
  return client as unknown as ItemClient
}

async function* mapped(items: AsyncIterable<Item> | Iterable<Item>, mark: string): AsyncGenerator<Item> {
  for await (const item of items) yield { ...item, title: `${item.title}${mark}` }
}

/** Marks the messages of every stream, on the way in and on the way back. */
function marks(name: string): Layer<GrpcContext> {
  return layerFn<GrpcContext>(name, (cx, req, next) => {
    const { kind } = cx.method
    const streamsIn = kind === 'clientStream' || kind === 'bidiStream'
    const streamsOut = kind === 'serverStream' || kind === 'bidiStream'
    const request = streamsIn ? mapped(req as AsyncIterable<Item>, `>${name}`) : req
    const answer = next(cx, request as typeof req)
    return streamsOut ? (mapped(answer as AsyncIterable<Item>, `<${name}`) as typeof answer) : answer
  })
}

for (const side of ['server', 'client'] as const) {
  test(`a layer of a ${side} wraps the iterables of streams`, async (t) => {
    const client = await pair(t, { [side]: marks('a') })
    const titles = (await all(client.streamItems({ id: 0n }))).map(({ title }) => title)
    t.deepEqual(titles.slice(0, 2), ['Item 1<a', 'Item 2<a'])
    t.is(titles.length, 10)
    t.is((await client.clientStream([{ title: 'one' }, { title: 'two' }])).item?.title, 'two>a')
    const both = await all(client.bidirectionalStream([{ title: 'one' }, { title: 'two' }]))
    t.deepEqual(
      both.map(({ title }) => title),
      ['one>a<a', 'two>a<a'],
    )
  })
}

test('layers of both sides, one around the other', async (t) => {
  const client = await pair(t, { server: marks('s'), client: marks('c') })
  const [item] = await all(client.bidirectionalStream([{ title: '' }]))
  t.is(item.title, '>c>s<s<c')
})

test('a reader that leaves a wrapped stream ends the call', async (t) => {
  const client = await pair(t, { client: marks('c') })
  for await (const item of client.streamItems({ id: 5n })) {
    t.is(item.id, 6n)
    break
  }
  const stats = (): number => Client.stats(client).inFlight
  for (let tries = 0; stats() > 0 && tries < 200; tries += 1) await new Promise((resolve) => setTimeout(resolve, 10))
  t.is(stats(), 0)
})

test('an asynchronous layer of a client begins a stream later', async (t) => {
  const slow = layerFn<GrpcContext>('slow', async (cx, req, next) => {
    await Promise.resolve()
    return next(cx, req)
  })
  const client = await pair(t, { client: slow })
  t.is((await all(client.streamItems({ id: 0n }))).length, 10)
  const left = client.streamItems({ id: 0n })[Symbol.asyncIterator]()
  await left.return?.()
  const stats = (): { inFlight: number; cancelled: number } => Client.stats(client)
  for (let tries = 0; (stats().cancelled === 0 || stats().inFlight > 0) && tries < 200; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  t.like(stats(), { inFlight: 0, cancelled: 1 })
})

test('taps of a client see its messages in the order they travel', async (t) => {
  const seen: string[] = []
  const tap = layerFn<GrpcContext>('tap', (cx, req, next) => {
    cx.onSend((message) => seen.push(`> ${(message as Item).title}`))
    cx.onReceive((message) => seen.push(`< ${(message as Item).title}`))
    return next(cx, req)
  })
  const client = await pair(t, { client: tap })
  await all(client.bidirectionalStream([{ title: 'one' }, { title: 'two' }]))
  t.deepEqual(
    seen.filter((line) => line.startsWith('>')),
    ['> one', '> two'],
  )
  t.deepEqual(
    seen.filter((line) => line.startsWith('<')),
    ['< one', '< two'],
  )
  seen.length = 0
  await all(client.streamItems({ id: 0n }))
  t.is(seen.filter((line) => line.startsWith('<')).length, 10)
})
