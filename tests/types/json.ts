/** Services as JSON: what the compiler must accept, and what it must refuse. */
/* eslint-disable @typescript-eslint/no-unused-vars, @typescript-eslint/no-meaningless-void-operator -- many names here are for the compiler only */
import {
  Client,
  json,
  JsonException,
  jsonMethod,
  loadThrift,
  methodsOf,
  Server,
  type Handlers,
  type JsonInput,
  type JsonValue,
  type RequestOf,
  type ResponseOf,
  type ThriftServiceDescriptor,
} from 'volo-js/thrift'

import type { MethodDescriptor } from 'volo-js/generated'

/** Fails to compile unless both are the same type. */
function same<A, B>(_: (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false): void {}

interface Item {
  id: bigint
  title: string
}

declare const Items: ThriftServiceDescriptor<{
  readonly getItem: MethodDescriptor<{ id: bigint }, { item: Item }>
  readonly nothing: MethodDescriptor<Record<string, never>, void>
}>

// ---- values ----
const values = json(Items)
same<RequestOf<typeof values, 'getItem'>, JsonValue>(true)
same<ResponseOf<typeof values, 'getItem'>, JsonValue>(true)
const client = Client.of(values, 'items').address('[::1]:8080').build()
const answer: Promise<JsonValue> = client.getItem({ id: 1, big: 2n, list: ['x', null] } satisfies JsonInput)
void client.nothing()
// @ts-expect-error a Date is no JSON
void client.getItem({ id: new Date() })
// @ts-expect-error there is no such method
void client.getItems

const impl: Handlers<typeof values> = {
  getItem: (request, cx) => {
    same<typeof request, JsonValue>(true)
    if (cx.method.idempotent) throw new JsonException('NotFound', { id: 1 })
    return { item: { id: '1', title: 'x' } }
  },
  nothing: () => {},
}
Server.of(values, impl)
// @ts-expect-error a handler is missing
Server.of(values, { getItem: impl.getItem })
// @ts-expect-error the response is absent
Server.of(values, { ...impl, getItem: () => undefined })

// ---- text ----
const texts = json(Items, { text: true, i64: 'number' })
same<RequestOf<typeof texts, 'getItem'>, string>(true)
const text: Promise<string> = Client.of(texts, 'items').address('[::1]:8080').build().getItem('{"id":1}')
Server.of(texts, { getItem: (request) => request.trim(), nothing: () => {} })
// @ts-expect-error text is wanted
Server.of(texts, { getItem: () => ({}), nothing: () => {} })

// ---- options ----
// @ts-expect-error only text has all digits
json(Items, { i64: 'number' })
// @ts-expect-error there is no such option
json(Items, { enumsAsName: true })
// @ts-expect-error gRPC has a JSON of its own
json({ ...Items, protocol: 'grpc' as const })

// ---- parts ----
const { request, response, exceptions } = jsonMethod(Items, 'getItem')
same<ReturnType<typeof request.fromJson>, { id: bigint }>(true)
same<ReturnType<typeof response.toJson>, JsonValue>(true)
response.toJson({ item: { id: 1n, title: '' } })
// @ts-expect-error an i64 is a bigint
response.toJson({ item: { id: 1, title: '' } })
exceptions.get('NotFound')?.fromJson({ id: 1 })
const back: string = jsonMethod(Items, 'getItem', { text: true }).request.toJson({ id: 1n })
// @ts-expect-error there is no such method
jsonMethod(Items, 'getItems')

// ---- IDL read at run time ----
async function gateway(name: string, body: string): Promise<string | undefined> {
  const { Shop } = await loadThrift('shop.thrift')
  const method = methodsOf(Shop).get(name)
  if (method === undefined) return undefined
  await using shop = Client.of(json(Shop, { text: true }), 'shop')
    .address('[::1]:8080')
    .build()
  return await shop[method.name](body)
}
