/** What the compiler must accept, and what it must refuse. Every line after a `@ts-expect-error` is a mistake a user could make. */
/* eslint-disable @typescript-eslint/no-unused-vars, @typescript-eslint/no-meaningless-void-operator -- many names here are for the compiler only */
import {
  Client,
  ContextKey,
  layerFn,
  log,
  Server,
  timeout,
  type Context,
  type Handlers,
  type Layer,
  type RequestOf,
  type ResponseOf,
  type GrpcContext,
  type Service,
  type ThriftContext,
  type ThriftServiceDescriptor,
} from 'volo-js'

import type { MethodDescriptor } from 'volo-js/generated'

/** Fails to compile unless both are the same type. */
function same<A, B>(_: (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false): void {}

interface Item {
  id: bigint
  title: string
}

declare const Items: ThriftServiceDescriptor<{
  readonly getItem: MethodDescriptor<{ id: bigint }, { item: Item }>
  readonly add: MethodDescriptor<{ left: number; right: number }, number>
  readonly nothing: MethodDescriptor<Record<string, never>, void>
  readonly text: MethodDescriptor<string, string>
}>

// ---- requests and responses ----
same<RequestOf<typeof Items, 'getItem'>, { id: bigint }>(true)
same<ResponseOf<typeof Items, 'getItem'>, { item: Item }>(true)

// ---- handlers ----
const impl: Handlers<typeof Items> = {
  getItem: ({ id }) => ({ item: { id, title: '' } }),
  add: async ({ left, right }, cx) => {
    same<typeof cx, ThriftContext>(true)
    same<typeof left, number>(true)
    return left + right
  },
  nothing: () => {},
  text: (value) => value,
}

// @ts-expect-error a handler is missing
const missing: Handlers<typeof Items> = { getItem: impl.getItem, add: impl.add, nothing: impl.nothing }
// @ts-expect-error a handler is missing
Server.of(Items, { getItem: impl.getItem })
Server.of(Items, {
  ...impl,
  // @ts-expect-error the response has no item
  getItem: ({ id }) => ({ id }),
})
Server.of(Items, {
  ...impl,
  // @ts-expect-error an i64 is a bigint
  getItem: () => ({ item: { id: 1, title: '' } }),
})
Server.of(Items, {
  ...impl,
  // @ts-expect-error a promise of the wrong thing
  add: async () => 'sum',
})

// ---- layers ----
const pass = layerFn('pass', (cx, req, next) => next(cx, req))
const wait = layerFn('wait', async (cx, req, next) => {
  const answer = await next(cx, req)
  return answer
})
const classic: Layer = {
  layer: (inner) => ({
    async call(cx, req) {
      return await inner.call(cx, req)
    },
  }),
}
const thrift: Layer<ThriftContext> = layerFn<ThriftContext>('thrift', (cx, req, next) => {
  const protocol: 'thrift' = cx.protocol
  void protocol
  return next(cx, req)
})
const grpc: Layer<GrpcContext> = layerFn<GrpcContext>('grpc', (cx, req, next) => next(cx, req))

Server.of(Items, impl).layer(pass).layer(wait).layerFront(classic).layer(thrift).layer(log()).layer(timeout('3s'))
// @ts-expect-error the server's calls have no gRPC context
Server.of(Items, impl).layer(grpc)
// @ts-expect-error nor have the client's
Client.of(Items, 'items').layerOuter(grpc)
// @ts-expect-error a server of several protocols promises no more than Context
new Server().layer(thrift)
new Server().layer(pass)

// @ts-expect-error a layer must answer
layerFn('none', (cx, req, next) => {
  void next(cx, req)
})
// @ts-expect-error with the service's answer
layerFn('wrong', () => 12)
// @ts-expect-error also where it is async
layerFn('wrong', async () => 12)
// @ts-expect-error and next takes the request it was given, not another
layerFn('other', (cx, _req, next) => next(cx, { id: 1n }))
// @ts-expect-error a class-like layer that answers by itself
const wrong: Layer = { layer: () => ({ call: () => 'x' }) }
// @ts-expect-error '3 seconds' is no duration
timeout('3 seconds')
// @ts-expect-error there is no such option
log({ colour: true })

// ---- variance of services ----
declare const general: Service<Context, unknown, Item>
declare const special: Service<ThriftContext, Item, unknown>
const narrowed: Service<ThriftContext, Item, unknown> = general
// @ts-expect-error it needs more context and promises less
const widened: Service<Context, unknown, Item> = special

// ---- clients ----
const client = Client.of(Items, 'shop.items').layerOuter(timeout('3s')).address('[::1]:8080').build()
same<Awaited<ReturnType<typeof client.getItem>>, { item: Item }>(true)
const answer: Promise<number> = client.add({ left: 1, right: 2 }, { timeout: '200ms', signal: AbortSignal.timeout(5) })
void client.nothing()
void client.nothing({}, { timeout: 5 })
// @ts-expect-error the request is missing
void client.getItem()
// @ts-expect-error an i64 is a bigint
void client.getItem({ id: 1 })
// @ts-expect-error there is no such method
void client.getItems
// @ts-expect-error there is no such option
void client.text('x', { deadline: 5 })
// @ts-expect-error there is no such option
Client.of(Items, 'items').pool({ max: 5 })
// @ts-expect-error nor this one
Server.of(Items, impl).options({ maxFrame: '4MiB' })

async function dispose(): Promise<void> {
  await using scoped = client
  void scoped
}

// ---- context ----
async function group(cx: Context): Promise<void> {
  const [item, text, plain] = await cx.all((g) => [client.getItem({ id: 1n }, { parent: g }), client.text('x'), 5])
  same<typeof item, { item: Item }>(true)
  same<typeof text, string>(true)
  same<typeof plain, number>(true)
  void client.text('x', { parent: cx })
  const User = new ContextKey<{ name: string }>('user')
  cx.set(User, { name: 'alice' })
  // @ts-expect-error not what the key holds
  cx.set(User, 'alice')
  same<ReturnType<typeof cx.get<{ name: string }>>, { name: string }>(true)
  // @ts-expect-error the deadline is read, never set
  cx.deadline = 5
}

export { answer, dispose, group, missing, narrowed, widened, wrong }
