/** What the compiler makes of services that other libraries' generators made. Every line after a `@ts-expect-error` is a mistake a user could make. */
/* eslint-disable @typescript-eslint/no-unused-vars -- many names here are for the compiler only */
import type { MessageInitShape } from '@bufbuild/protobuf'
import { Client, fromDefinition, Server, type RequestInitOf, type RequestOf, type ResponseOf } from 'volo-js/grpc'
import { fromGenService } from 'volo-js/protobuf-es'

import { ItemServiceDefinition } from '../fixtures/foreign/golden/item-generic.js'
import { ItemServiceService, type GetItemRequest, type Item } from '../fixtures/foreign/golden/item-grpc-js.js'
import { Shapes, type Part, type Shape, type ShapeSchema } from '../fixtures/foreign/golden/shapes_pb.js'

/** Fails to compile unless both are the same type. */
function same<A, B>(_: (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false): void {}

// ---- protobuf-es ----
const shapes = fromGenService(Shapes)
same<RequestOf<typeof shapes, 'echo'>, Shape>(true)
same<RequestInitOf<typeof shapes, 'echo'>, MessageInitShape<typeof ShapeSchema>>(true)
same<ResponseOf<typeof shapes, 'split'>, Part>(true)
same<keyof (typeof shapes)['methods'], 'echo' | 'split' | 'join' | 'both' | 'belittle'>(true)

Server.of(shapes, {
  echo: ({ implicit, json }) => ({ implicit, json: { ...json, more: [1] } }),
  async *split({ parts }) {
    yield* parts
  },
  join: () => ({}),
  async *both(many) {
    for await (const shape of many) {
      same<typeof shape, Shape>(true)
      yield shape
    }
  },
  // @ts-expect-error a field of another type
  belittle: () => ({ explicit: 'five' }),
})
// @ts-expect-error handlers are missing
Server.of(shapes, { echo: () => ({}) })

async function callShapes(client: Client<typeof shapes>): Promise<void> {
  const shape = await client.echo({ text: '1', one: { case: 'oneLong', value: '2' } })
  same<typeof shape, Shape>(true)
  for await (const part of client.split({})) same<typeof part, Part>(true)
  // @ts-expect-error there is no such case
  await client.echo({ one: { case: 'none', value: 1 } })
}

// ---- definitions in grpc-js's form ----
const items = fromDefinition(ItemServiceService)
same<RequestOf<typeof items, 'getItem'>, GetItemRequest>(true)
same<ResponseOf<typeof items, 'streamItems'>, Item>(true)
same<keyof (typeof items)['methods'], 'getItem' | 'streamItems' | 'clientStream' | 'bidirectionalStream'>(true)

async function callItems(client: Client<typeof items>): Promise<void> {
  for await (const item of client.streamItems({ id: 1n })) same<typeof item, Item>(true)
  // @ts-expect-error one request is no stream
  await client.clientStream({ id: 1n, title: '', content: '', extra: {} })
}

/** As `grpc_tools_node_protoc_ts` declares services: with an index signature, and messages that are classes. */
interface Message {
  serializeBinary(): Uint8Array
}
interface Listed {
  readonly [name: string]: ToolsMethod
  readonly getItem: ToolsMethod
}
interface ToolsMethod {
  readonly path: string
  readonly requestStream: false
  readonly responseStream: true
  readonly requestSerialize: (value: Message) => Buffer
  readonly requestDeserialize: (bytes: Buffer) => Message
  readonly responseSerialize: (value: Message) => Buffer
  readonly responseDeserialize: (bytes: Buffer) => Message
}
declare const ToolsService: Listed
const tools = fromDefinition(ToolsService)
same<keyof (typeof tools)['methods'], 'getItem'>(true)
same<ResponseOf<typeof tools, 'getItem'>, Message>(true)

// ---- generic definitions of ts-proto ----
const generic = fromDefinition(ItemServiceDefinition)
same<keyof (typeof generic)['methods'], 'getItem' | 'streamItems' | 'clientStream' | 'bidirectionalStream'>(true)
Server.of(generic, {
  getItem: ({ id }) => ({ item: { id, title: '', content: '', extra: {} } }),
  async *streamItems({ id }) {
    yield { id, title: '', content: '', extra: {} }
  },
  async clientStream(sent) {
    for await (const item of sent) return { item }
    return { item: undefined }
  },
  // @ts-expect-error fields are missing
  async *bidirectionalStream() {
    yield { id: 1n }
  },
})

// @ts-expect-error no definition
fromDefinition('text')

export { callItems, callShapes }
