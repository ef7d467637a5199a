/** ItemService for the tests of this folder. */
import { fileURLToPath } from 'node:url'

import type { GrpcCallOptions } from '../core/call-options.js'
import type { GrpcContext } from '../core/context.js'
import { loadProto } from './load.js'

export const { ItemService } = await loadProto(fileURLToPath(new URL('../../examples/item.proto', import.meta.url)))

export interface Item {
  readonly id: bigint
  readonly title: string
}

/** Its methods as a caller sees them; without generated code they have no types of their own. */
export interface ItemClient {
  getItem(request: object, options?: GrpcCallOptions): Promise<{ item?: Item }>
  streamItems(request: object, options?: GrpcCallOptions): AsyncIterable<Item>
  clientStream(requests: Iterable<object> | AsyncIterable<object>, options?: GrpcCallOptions): Promise<{ item?: Item }>
  bidirectionalStream(
    requests: Iterable<object> | AsyncIterable<object>,
    options?: GrpcCallOptions,
  ): AsyncIterable<Item>
}

type Handler = (request: never, cx: GrpcContext) => unknown

/** Handlers that give back what they get, but for those given. */
export function handlers(impl: Readonly<Record<string, Handler>>): never {
  const plain: Record<string, Handler> = {
    getItem: ({ id }: Item) => ({ item: { id, title: 'Hello gRPC' } }),
    async *streamItems({ id }: Item) {
      for (let n = 1n; n <= 10n; n += 1n) yield await Promise.resolve({ id: id + n, title: `Item ${n}` })
    },
    async clientStream(items: AsyncIterable<Item>) {
      return { item: (await all(items)).at(-1) }
    },
    async *bidirectionalStream(items: AsyncIterable<Item>) {
      yield* items
    },
  }
  return { ...plain, ...impl } as never
}

export async function all<T>(messages: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const message of messages) list.push(message)
  return list
}
