import type { ThriftContext } from './context.js'
import type { RequestOf, ResponseOf, ServiceDescriptor } from './descriptor.js'
import type { Answer } from './service.js'

/**
 * What a server runs: a function for every method of the service, the request first, the context second. It gives the response,
 * or a promise of it, or throws: a declared exception, a VoloError, or anything else, which the caller sees as an internal error.
 *
 * @example
 * const impl: Handlers<typeof ItemService> = {
 *   getItem: ({ id }) => ({ item: { id, title: 'Hello Volo', content: 'This is a Volo example' } }),
 * }
 */
export type Handlers<S extends ServiceDescriptor> = {
  readonly [Name in keyof S['methods']]: (request: RequestOf<S, Name>, cx: ThriftContext) => Answer<ResponseOf<S, Name>>
}
