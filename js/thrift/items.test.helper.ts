/** What tests of this folder serve and call. */
import { type Items, NotFound } from '../core/items.fixture.js'
import type { ClientBuilder, Handlers, ThriftContext } from './index.js'

export type Builder = ClientBuilder<typeof Items, ThriftContext>

export const impl: Handlers<typeof Items> = {
  get: (id) => {
    if (id < 0n) throw new NotFound(id)
    return { id, title: 'żółw €😀' }
  },
  join: ({ left, right }) => left + right,
  nothing: () => undefined,
  note: () => undefined,
}
