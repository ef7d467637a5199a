import type { ContextOf } from './context.js'
import type { RequestOf, ResponseInitOf, ServiceDescriptor, ShapeOf } from './descriptor.js'
import type { Answer } from './service.js'

/**
 * What a server runs: a function for every method of the service, the request first, the context second. It gives the response,
 * or a promise of it, or throws: a declared exception, a VoloError, or anything else, which the caller sees as an internal error.
 *
 * Where the client streams, the request is an iterable of messages; where the server does, so is the response: as a rule the
 * handler is an async generator.
 *
 * @example
 * const impl: Handlers<typeof ItemService> = {
 *   getItem: ({ id }) => ({ item: { id, title: 'Hello Volo', content: 'This is a Volo example' } }),
 *   async *streamItems({ id }) {
 *     for (let next = id; next < id + 10n; next++) yield { id: next }
 *   },
 * }
 */
export type Handlers<S extends ServiceDescriptor> = {
  readonly [Name in keyof S['methods']]: HandlersByShape<
    RequestOf<S, Name>,
    ResponseInitOf<S, Name>,
    ContextOf<S['protocol']>
  >[ShapeOf<S, Name>]
}

interface HandlersByShape<Req, Res, Cx> {
  readonly unary: (request: Req, cx: Cx) => Answer<Res>
  readonly serverStream: (request: Req, cx: Cx) => AsyncIterable<Res>
  readonly clientStream: (requests: AsyncIterable<Req>, cx: Cx) => Answer<Res>
  readonly bidiStream: (requests: AsyncIterable<Req>, cx: Cx) => AsyncIterable<Res>
}
