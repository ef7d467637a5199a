import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import test, { type ExecutionContext } from 'ava'

import { Client } from '../core/client.js'
import { GrpcError } from './grpc-error.js'
import { Server } from '../core/server.js'
import type { GrpcContext } from '../core/context.js'
import { Metadata } from '../core/metadata.js'
import { layerFn } from '../core/layer.js'
import type { ServerHandle } from '../core/server-handle.js'
import { loadProto } from './load.js'

interface Item {
  id: bigint
  title: string
  content: string
}
type Handler = (request: never, cx: GrpcContext) => unknown
interface ItemClient {
  getItem(request: object, options?: object): Promise<{ item?: Item }>
  streamItems(request: object, options?: object): AsyncIterable<Item>
  clientStream(requests: Iterable<object> | AsyncIterable<object>, options?: object): Promise<{ item?: Item }>
  bidirectionalStream(requests: Iterable<object> | AsyncIterable<object>, options?: object): AsyncIterable<Item>
}

const { ItemService } = await loadProto(fileURLToPath(new URL('../../examples/item.proto', import.meta.url)))

const plain: Record<string, Handler> = {
  getItem: ({ id }: Item) => ({ item: { id, title: 'Hello gRPC' } }),
  async *streamItems({ id }: Item) {
    for (let n = 1n; n <= 10n; n += 1n) yield await Promise.resolve({ id: id + n, title: `Item ${n}` })
  },
  async clientStream(items: AsyncIterable<Item>) {
    let last: Item | undefined
    for await (const item of items) last = item
    return { item: last }
  },
  async *bidirectionalStream(items: AsyncIterable<Item>) {
    yield* items
  },
}

async function pair(
  t: ExecutionContext,
  impl: Record<string, Handler>,
  server: (server: Server) => Server = (it) => it,
): Promise<{ client: ItemClient; handle: ServerHandle; errors: unknown[] }> {
  const errors: unknown[] = []
  const made = new Server().add(ItemService, { ...plain, ...impl } as never)
  const handle = await server(made)
    .options({ onError: (error) => errors.push(error) })
    .listen('127.0.0.1:0')
  const client = Client.of(ItemService, 'items').address(handle.address).build()
  t.teardown(async () => {
    await Client.close(client, { grace: '100ms' })
    await handle.close({ grace: '100ms' })
  })
  return { client: client as unknown as ItemClient, handle, errors }
}

async function all<T>(messages: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const message of messages) list.push(message)
  return list
}

test('the four kinds of calls', async (t) => {
  const { client } = await pair(t, {})
  t.like(await client.getItem({ id: 7n }), { item: { id: 7n, title: 'Hello gRPC', content: '' } })
  const items = await all(client.streamItems({ id: 7n }))
  t.deepEqual(
    items.map(({ id, title }) => [id, title]),
    Array.from({ length: 10 }, (_, n) => [BigInt(n + 8), `Item ${n + 1}`]),
  )
  t.like(await client.clientStream([{ id: 1n }, { id: 2n, title: 'last' }]), { item: { id: 2n, title: 'last' } })
  t.deepEqual(
    (await all(client.bidirectionalStream([{ id: 1n }, { id: 2n }]))).map(({ id }) => id),
    [1n, 2n],
  )
  t.deepEqual(await client.clientStream([]), { item: undefined })
  t.deepEqual(await all(client.bidirectionalStream([])), [])
})

test('thousands of messages pass in order, both ways at once', async (t) => {
  const { client } = await pair(t, {})
  const count = 5000
  async function* many(): AsyncGenerator<object> {
    for (let n = 0; n < count; n += 1) yield await Promise.resolve({ id: BigInt(n), title: 'x'.repeat(n % 300) })
  }
  let next = 0
  for await (const { id, title } of client.bidirectionalStream(many())) {
    if (id !== BigInt(next) || title.length !== next % 300) t.fail(`message ${next} is ${id}`)
    next += 1
  }
  t.is(next, count)
})

test('a slow reader stops the handler, and a slow handler the sender', async (t) => {
  let made = 0
  const { client } = await pair(t, {
    async *streamItems() {
      for (;;) {
        made += 1
        yield await Promise.resolve({ title: 'x'.repeat(1000) })
      }
    },
    async clientStream(items: AsyncIterable<Item>) {
      for await (const item of items) {
        await sleep(300)
        return { item }
      }
      return {}
    },
  })
  const reader = client.streamItems({})[Symbol.asyncIterator]()
  await reader.next()
  // It comes to a stop, however slow the machine is.
  let before: number
  do {
    before = made
    await sleep(200)
  } while (made > before)
  t.true(made < 5000, `${made} messages were made for one that was read`)
  for (let n = 0; n < 2 * before; n += 1) await reader.next()
  t.true(made > before)
  await reader.return?.()

  let sent = 0
  function* endless(): Generator<object> {
    for (;;) {
      sent += 1
      yield { title: 'y'.repeat(1000) }
    }
  }
  await client.clientStream(endless())
  t.true(sent < 5000, `${sent} messages were sent to a handler that read one`)
})

test('errors keep their code, text, details and metadata', async (t) => {
  const details = [{ typeUrl: 'type.googleapis.com/google.rpc.BadRequest', value: new Uint8Array([1, 2]) }]
  const { client, errors } = await pair(t, {
    getItem: () => {
      throw new GrpcError('NOT_FOUND', 'no item: ümläut %', { details, metadata: new Metadata({ 'x-why': 'gone' }) })
    },
    async *streamItems() {
      yield await Promise.resolve({ id: 1n })
      throw new GrpcError('DATA_LOSS', 'half of it')
    },
    clientStream: () => {
      throw new Error('secret')
    },
  })
  const error = await t.throwsAsync(client.getItem({}), { instanceOf: GrpcError })
  t.like(error, { code: 'NOT_FOUND', message: 'no item: ümläut %', sent: 'yes' })
  t.deepEqual(error.details, details)
  t.is(error.metadata?.get('x-why'), 'gone')
  const reader = client.streamItems({})[Symbol.asyncIterator]()
  t.like(await reader.next(), { value: { id: 1n } })
  await t.throwsAsync(reader.next(), { message: 'half of it' })
  t.deepEqual(errors, [])
  const hidden = await t.throwsAsync(client.clientStream([]))
  t.like(hidden, { code: 'UNKNOWN' })
  t.notRegex(hidden.message, /secret/)
  t.is(errors.length, 1)
})

test('metadata travels with requests and answers, early if wanted', async (t) => {
  const { client } = await pair(t, {
    getItem: (_: Item, cx) => {
      cx.response.headers.set('x-head', cx.metadata.get('x-ask') ?? '')
      cx.response.trailers.setBinary('x-tail-bin', cx.metadata.getBinary('x-ask-bin') ?? new Uint8Array())
      return {}
    },
    async *streamItems(_: Item, cx) {
      cx.response.headers.set('x-head', 'early')
      cx.sendHeaders()
      await sleep(100)
      cx.response.trailers.set('x-tail', 'late')
      yield {}
    },
  })
  const metadata = new Metadata({ 'x-ask': 'yes' })
  metadata.setBinary('x-ask-bin', new Uint8Array([0, 255]))
  const seen: string[] = []
  const hooks = {
    onHeader: (headers: Metadata) => seen.push(`head ${headers.get('x-head')}`),
    onTrailer: (trailers: Metadata) =>
      seen.push(`tail ${trailers.get('x-tail') ?? String(trailers.getBinary('x-tail-bin'))}`),
  }
  await client.getItem({}, { metadata, ...hooks })
  t.deepEqual(seen.splice(0), ['head yes', 'tail 0,255'])
  for await (const _ of client.streamItems({}, hooks)) seen.push('message')
  t.deepEqual(seen, ['head early', 'message', 'tail late'])
})

test('a call that is given up ends its handler; deadlines hold on both sides', async (t) => {
  const ended: string[] = []
  let started = 0
  const { client } = await pair(t, {
    getItem: (_: Item, cx) =>
      new Promise((resolve) => {
        started += 1
        cx.signal.addEventListener('abort', () => {
          ended.push((cx.signal.reason as GrpcError).code)
          resolve({})
        })
      }),
    async *streamItems(_: Item, cx) {
      try {
        for (;;) yield await Promise.resolve({})
      } finally {
        ended.push(`stream ${cx.signal.aborted}`)
      }
    },
  })
  const controller = new AbortController()
  const call = client.getItem({}, { signal: controller.signal })
  const refused = t.throwsAsync(call, { message: 'enough' })
  while (started < 1) await sleep(5)
  controller.abort(new Error('enough'))
  await refused
  const late = await t.throwsAsync(client.getItem({}, { timeout: 1000 }))
  t.like(late, { code: 'DEADLINE_EXCEEDED' })
  for await (const _ of client.streamItems({})) break
  while (ended.length < 3) await sleep(5)
  t.is(ended[0], 'CANCELLED')
  t.true(ended.includes('stream true'))
  // Whose clock is first, the caller's or the server's, names the reason.
  t.regex(ended.filter((reason) => reason !== 'stream true')[1], /^(DEADLINE_EXCEEDED|CANCELLED)$/)
})

test('layers see streams as iterables, and taps see every message', async (t) => {
  const seen: string[] = []
  const tap = layerFn<GrpcContext>('tap', (cx, req, next) => {
    cx.onReceive((message) => seen.push(`< ${(message as Item).id}`))
    cx.onSend((message) => seen.push(`> ${(message as Item).id}`))
    return next(cx, req)
  })
  const { client } = await pair(t, {}, (server) => server.layer(tap as never))
  await all(client.bidirectionalStream([{ id: 1n }, { id: 2n }]))
  t.deepEqual([...seen].sort(), ['< 1', '< 2', '> 1', '> 2'])
})

for (const compression of ['gzip', 'deflate', 'zstd'] as const) {
  test(`messages are compressed both ways: ${compression}`, async (t) => {
    const handle = await new Server()
      .add(ItemService, plain as never)
      .options({ compression })
      .listen('127.0.0.1:0')
    const client = Client.of(ItemService, 'items').address(handle.address).options({ compression }).build()
    const title = 'the same again '.repeat(20_000)
    const calls = client as unknown as ItemClient
    t.deepEqual(
      (await all(calls.bidirectionalStream([{ title }, { title: '' }, { title }]))).map((item) => item.title),
      [title, '', title],
    )
    const { bytesRead, bytesWritten } = handle.stats()
    t.true(bytesRead < title.length, `${bytesRead} bytes came`)
    t.true(bytesWritten < title.length, `${bytesWritten} bytes went`)
    await Client.close(client)
    await handle.close()
  })
}

test('a message beyond the limit ends its call, compressed or not', async (t) => {
  for (const compression of [undefined, 'gzip'] as const) {
    const handle = await new Server()
      .add(ItemService, plain as never)
      .options({ maxReceiveMessage: '64KiB' })
      .listen('127.0.0.1:0')
    const options = compression === undefined ? {} : { compression }
    const client = Client.of(ItemService, 'items').address(handle.address).options(options).build()
    const calls = client as unknown as ItemClient
    await t.throwsAsync(calls.clientStream([{ title: 'x'.repeat(100_000) }]), { code: 'RESOURCE_EXHAUSTED' })
    t.like(await calls.clientStream([{ title: 'fits' }]), { item: { title: 'fits' } })
    await Client.close(client)
    await handle.close()
  }
})

test('methods and services that are not there, and values the IDL does not allow, are told', async (t) => {
  const { client, errors } = await pair(t, { getItem: () => ({ item: { id: 'x' } }) })
  await t.throwsAsync(client.getItem({ id: 'x' }), { message: /GetItemRequest\.id/ })
  await t.throwsAsync(client.getItem({}), { code: 'UNKNOWN' })
  t.regex(String(errors[0]), /GetItemResponse\.item\.id/)
  await t.throwsAsync(client.clientStream([{ id: 1n }, { id: 'x' }]), { message: /Item\.id/ })
  await t.throwsAsync(client.clientStream({} as never), { message: /pass an iterable/ })
})

test('a client of nobody says so', async (t) => {
  const client = Client.of(ItemService, 'nobody').address('127.0.0.1:1').build() as unknown as ItemClient
  await t.throwsAsync(client.getItem({}), { code: 'UNAVAILABLE', message: /127\.0\.0\.1:1/ })
  await t.throwsAsync(all(client.streamItems({})), { code: 'UNAVAILABLE' })
  await Client.close(client)
})
