/** What the compiler makes of services with streams. Every line after a `@ts-expect-error` is a mistake a user could make. */
/* eslint-disable @typescript-eslint/no-unused-vars -- many names here are for the compiler only */
import {
  Client,
  layerFn,
  Server,
  type ConnectivityState,
  type GrpcContext,
  type GrpcMethodDescriptor,
  type GrpcServiceDescriptor,
  type Handlers,
  type MessageDescriptor,
  type MessageInitOf,
  type MessageOf,
  type RequestInitOf,
  type RequestOf,
  type ResponseInitOf,
  type ResponseOf,
  type ThriftContext,
} from 'volo-js'

/** Fails to compile unless both are the same type. */
function same<A, B>(_: (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false): void {}

interface Item {
  id: bigint
  title: string
}
interface ItemInit {
  id?: bigint | undefined
  title?: string | undefined
}
interface Request {
  id: bigint
  filter: string
}
interface RequestInit {
  id: bigint
  filter?: string | undefined
}

declare const ItemSchema: MessageDescriptor<Item, ItemInit>
declare const RequestSchema: MessageDescriptor<Request, RequestInit>
declare const Items: GrpcServiceDescriptor<{
  readonly get: GrpcMethodDescriptor<'unary', typeof RequestSchema, typeof ItemSchema>
  readonly empty: GrpcMethodDescriptor<'unary', typeof ItemSchema, typeof ItemSchema>
  readonly list: GrpcMethodDescriptor<'serverStream', typeof RequestSchema, typeof ItemSchema>
  readonly add: GrpcMethodDescriptor<'clientStream', typeof ItemSchema, typeof ItemSchema>
  readonly chat: GrpcMethodDescriptor<'bidiStream', typeof ItemSchema, typeof ItemSchema>
}>

// ---- requests and responses ----
same<MessageOf<typeof ItemSchema>, Item>(true)
same<MessageInitOf<typeof ItemSchema>, ItemInit>(true)
same<RequestOf<typeof Items, 'get'>, Request>(true)
same<RequestInitOf<typeof Items, 'get'>, RequestInit>(true)
same<ResponseOf<typeof Items, 'list'>, Item>(true)
same<ResponseInitOf<typeof Items, 'list'>, ItemInit>(true)

// ---- handlers ----
const impl: Handlers<typeof Items> = {
  get: ({ id, filter }, cx) => {
    same<typeof cx, GrpcContext>(true)
    return { id, title: filter }
  },
  // What has a zero value may be left out.
  empty: async () => ({}),
  async *list(request, cx) {
    same<typeof request, Request>(true)
    same<typeof cx, GrpcContext>(true)
    yield { id: request.id }
  },
  async add(items) {
    let last: Item | undefined
    for await (const item of items) last = item
    return last ?? {}
  },
  async *chat(items) {
    for await (const item of items) yield item
  },
}
Server.of(Items, impl)
Server.of(Items, {
  ...impl,
  // @ts-expect-error the stream's messages are no items
  async *list() {
    yield { id: 1 }
  },
})
// @ts-expect-error a stream is answered with a stream
Server.of(Items, { ...impl, list: async ({ id }) => ({ id }) })
// @ts-expect-error an iterable that gives no promises
Server.of(Items, { ...impl, chat: () => [{ id: 1n }] })
// @ts-expect-error requests that are a stream have no fields
Server.of(Items, { ...impl, add: ({ id }) => ({ id }) })
// @ts-expect-error one request is no stream
Server.of(Items, { ...impl, get: (requests: AsyncIterable<Request>) => ({}) })

// ---- layers ----
declare const accept: (cx: GrpcContext) => void
const grpc = layerFn<GrpcContext>('grpc', (cx, req, next) => {
  accept(cx)
  return next(cx, req)
})
const thrift = layerFn<ThriftContext>('thrift', (cx, req, next) => next(cx, req))
Server.of(Items, impl).layer(grpc)
Client.of(Items, 'items').layerOuter(grpc)
// @ts-expect-error the server's calls have no Thrift context
Server.of(Items, impl).layer(thrift)
// @ts-expect-error nor have the client's
Client.of(Items, 'items').layerInner(thrift)

// ---- clients ----
async function call(client: Client<typeof Items>): Promise<void> {
  const item = await client.get({ id: 1n }, { timeout: '1s' })
  same<typeof item, Item>(true)
  // @ts-expect-error the request has a field that must be there
  void client.get()
  void client.empty()
  // @ts-expect-error an int64 is a bigint
  void client.get({ id: 1 })
  // @ts-expect-error there is no such field
  void client.get({ id: 1n, name: 'x' })
  for await (const each of client.list({ id: 1n })) same<typeof each, Item>(true)
  // @ts-expect-error a stream is no promise
  void client.list({ id: 1n }).then()
  const last = await client.add([{ id: 1n }, {}], { timeout: 5 })
  same<typeof last, Item>(true)
  for await (const each of client.chat(client.list({ id: 1n }))) same<typeof each, Item>(true)
  // @ts-expect-error a stream is asked for
  void client.add({ id: 1n })
  // @ts-expect-error a stream of something else
  void client.chat(['text'])
}

// ---- connections ----
Server.of(Items, impl).options({ keepalive: { interval: '1h' }, maxConnectionAge: '5m', pingsWithoutCalls: true })
// @ts-expect-error a server does not ask for leave
Server.of(Items, impl).options({ keepalive: { interval: '1h', withoutCalls: true } })
Client.of(Items, 'items').options({ keepalive: { interval: '30s', withoutCalls: true }, backoff: { max: '5s' } })
// @ts-expect-error a keepalive without an interval
Client.of(Items, 'items').options({ keepalive: { timeout: '1s' } })
// @ts-expect-error connections of clients have a lifetime, see pool()
Client.of(Items, 'items').options({ maxConnectionAge: '5m' })
function watch(client: Client<typeof Items>): void {
  same<ReturnType<typeof Client.state>, ConnectivityState>(true)
  const stop = Client.watchState(client, (state) => same<typeof state, ConnectivityState>(true))
  stop()
}

export { call, watch }
