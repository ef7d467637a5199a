/** What of compression is to be seen on the wire, by Node's own HTTP/2. */
import { once } from 'node:events'
import { connect, createServer, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { gunzipSync, inflateSync } from 'node:zlib'

import test, { type ExecutionContext } from 'ava'

import { Client } from '../core/client.js'
import type { GrpcCallOptions } from '../core/call-options.js'
import type { GrpcContext } from '../core/context.js'
import { layerFn } from '../core/layer.js'
import { Server } from '../core/server.js'
import type { Compression } from './grpc-options.js'
import { loadProto } from './load.js'

const { ItemService } = await loadProto(fileURLToPath(new URL('../../examples/item.proto', import.meta.url)))

const TITLE = 'again '.repeat(100)

interface Seen {
  readonly encoding: string | undefined
  /** Of each message, whether it says that it is compressed. */
  readonly compressed: readonly boolean[]
  readonly bodies: readonly Buffer[]
}

/** Cuts a body into its messages. */
function seen(headers: IncomingHttpHeaders, body: Buffer): Seen {
  const messages: { compressed: boolean; body: Buffer }[] = []
  for (let at = 0; at < body.length;) {
    const end = at + 5 + body.readUInt32BE(at + 1)
    messages.push({ compressed: body[at] === 1, body: body.subarray(at + 5, end) })
    at = end
  }
  return {
    encoding: headers['grpc-encoding'] as string | undefined,
    compressed: messages.map(({ compressed }) => compressed),
    bodies: messages.map((message) => message.body),
  }
}

/** A server that looks at its requests and answers them with nothing. */
async function watcher(t: ExecutionContext): Promise<{ address: string; requests: Seen[] }> {
  const requests: Seen[] = []
  const server = createServer()
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    const parts: Buffer[] = []
    stream.on('data', (part: Buffer) => parts.push(part))
    stream.on('end', () => {
      requests.push(seen(headers, Buffer.concat(parts)))
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
      stream.end(Buffer.alloc(5))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, requests }
}

type Call = (request: unknown, options?: GrpcCallOptions) => Promise<unknown>

test('a call says how its requests are compressed, whatever the client does as a rule', async (t) => {
  const { address, requests } = await watcher(t)
  for (const usual of [undefined, 'gzip'] as const) {
    const client = Client.of(ItemService, 'items')
      .address(address)
      .options(usual === undefined ? {} : { compression: usual })
      .build()
    const { getItem, clientStream } = client as unknown as { getItem: Call; clientStream: Call }
    const wanted = [undefined, false, 'gzip', 'deflate', 'zstd'] as const
    for (const compression of wanted) {
      const messages = [{ title: TITLE }, { title: TITLE }]
      await getItem({ id: 1n }, { compression })
      await clientStream(messages, { compression })
      const encoding = compression === undefined ? usual : compression === false ? undefined : compression
      const [one, stream] = requests.splice(0)
      t.like(one, { encoding, compressed: [encoding !== undefined] }, `${usual} ${compression}`)
      t.like(stream, { encoding, compressed: messages.map(() => encoding !== undefined) }, `${usual} ${compression}`)
      if (encoding === 'gzip') t.true(gunzipSync(stream.bodies[1]).includes(TITLE))
      if (encoding === 'deflate') t.true(inflateSync(stream.bodies[0]).includes(TITLE))
      if (encoding === 'zstd') t.is(stream.bodies[0].readUInt32LE(), 0xfd2fb528)
    }
    await Client.close(client)
  }
})

test('a layer of a client chooses, too, and messages one by one', async (t) => {
  const { address, requests } = await watcher(t)
  let cx: GrpcContext | undefined
  const choose = layerFn<GrpcContext>('choose', (context, request, next) => {
    cx = context
    context.compress('deflate')
    return next(context, request)
  })
  const client = Client.of(ItemService, 'items').address(address).layerOuter(choose).build()
  await (client as unknown as { clientStream: Call }).clientStream(
    (async function* () {
      yield await Promise.resolve({ title: TITLE })
      cx?.compress(false)
      yield { title: TITLE }
      cx?.compress('deflate')
      yield { title: TITLE }
    })(),
  )
  t.like(requests[0], { encoding: 'deflate', compressed: [true, false, true] })
  await Client.close(client)
})

test('a compression that there is not is refused', async (t) => {
  const client = Client.of(ItemService, 'items').address('127.0.0.1:1').build()
  const compression = 'brotli' as Compression
  await t.throwsAsync((client as unknown as { getItem: Call }).getItem({}, { compression }), {
    code: 'INVALID_ARGUMENT',
    message: /'brotli'; there are gzip, deflate, zstd/,
  })
})

/** Calls a method without a message of its own, and looks at the answer. */
async function ask(address: string, path: string, accepts: string | undefined): Promise<Seen> {
  const session = connect(`http://${address}`)
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...(accepts === undefined ? {} : { 'grpc-accept-encoding': accepts }),
  })
  const parts: Buffer[] = []
  stream.on('data', (part: Buffer) => parts.push(part))
  const [headers] = (await Promise.all([once(stream, 'response'), once(stream.end(Buffer.alloc(5)), 'end')]))[0] as [
    IncomingHttpHeaders,
  ]
  session.close()
  return seen(headers, Buffer.concat(parts))
}

test('a handler says how its answer is compressed, as far as the caller reads it', async (t) => {
  let how: Compression | false | undefined
  const choose = (cx: GrpcContext): void => {
    if (how !== undefined) cx.compress(how)
  }
  const item = { title: TITLE }
  const impl = {
    getItem: (_: unknown, cx: GrpcContext) => {
      choose(cx)
      return { item }
    },
    async *streamItems(_: unknown, cx: GrpcContext) {
      choose(cx)
      yield await Promise.resolve(item)
      cx.compress(false)
      yield item
      cx.compress('gzip')
      yield item
    },
    clientStream: () => ({}),
    async *bidirectionalStream() {
      yield await Promise.resolve({})
    },
  }
  const path = '/volo.example.ItemService'
  for (const usual of [undefined, 'deflate'] as const) {
    const handle = await new Server()
      .add(ItemService, impl)
      .options(usual === undefined ? {} : { compression: usual })
      .listen('127.0.0.1:0')
    for (how of [undefined, false, 'gzip', 'zstd'] as const) {
      for (const accepts of [undefined, 'identity,gzip,deflate', 'zstd']) {
        const wanted = how === undefined ? usual : how === false ? undefined : how
        const encoding = wanted !== undefined && accepts?.includes(wanted) === true ? wanted : undefined
        const used = encoding !== undefined
        const about = `usually ${usual}, ${how} for who reads ${accepts}`
        t.like(await ask(handle.address, `${path}/GetItem`, accepts), { encoding, compressed: [used] }, about)
        const stream = await ask(handle.address, `${path}/StreamItems`, accepts)
        t.like(stream, { encoding, compressed: [used, false, used] }, about)
        if (encoding === 'gzip') t.true(gunzipSync(stream.bodies[2]).includes(TITLE))
      }
    }
    await handle.close()
  }
})
