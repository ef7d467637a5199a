/** Services that are passed on: what the compiler must accept, and what it must refuse. */
import {
  AnyService,
  Client,
  json,
  loadThrift,
  proxy,
  Server,
  type GrpcServiceDescriptor,
  type ThriftServiceDescriptor,
} from 'volo-js/thrift'

import type { MethodDescriptor } from 'volo-js/generated'

/** Fails to compile unless both are the same type. */
function same<A, B>(_: (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false): void {}

declare const Items: ThriftServiceDescriptor<{
  readonly getItem: MethodDescriptor<{ id: bigint }, { title: string }>
  readonly text: MethodDescriptor<string, string>
  readonly nothing: MethodDescriptor<Record<string, never>, void>
}>
declare const Streams: GrpcServiceDescriptor
const upstream = Client.of(Items, 'items').address('[::1]:8080').pipelined()

// ---- all of a service ----
new Server().add(proxy(Items, upstream))
new Server().add(proxy(Items, upstream, { timeout: '3s' }))
new Server().add(proxy(AnyService, Client.of(AnyService, 'any').address('[::1]:8080')))
// An upstream of another service will do: nobody looks into its messages.
new Server().add(proxy(Items, Client.of(AnyService, 'any').address('[::1]:8080')))

// ---- some of it ----
const some = proxy(Items, upstream, { methods: ['getItem'] })
same<keyof (typeof some)['methods'], 'text' | 'nothing'>(true)
new Server().add(some, {
  text: (text) => {
    same<typeof text, string>(true)
    return text
  },
  nothing: () => {},
})
new Server().add(proxy(some, upstream, { methods: ['text'] }), { nothing: () => {} })
new Server().add(proxy(some, upstream))
new Server().add(json(some), { text: (text) => text, nothing: () => {} })
// @ts-expect-error -- the others need handlers
new Server().add(some)
// @ts-expect-error -- all of them
new Server().add(some, { nothing: () => {} })
// @ts-expect-error -- a service that is not passed on needs handlers
new Server().add(Items)
// @ts-expect-error -- there is no such method
proxy(Items, upstream, { methods: ['putItem'] })
// @ts-expect-error -- it is passed on already
proxy(some, upstream, { methods: ['getItem'] })

// ---- upstreams ----
// @ts-expect-error -- a client that is built lives elsewhere
proxy(Items, upstream.build())
// @ts-expect-error -- an address is no upstream
proxy(Items, '[::1]:8080')
// @ts-expect-error -- calls of gRPC are not passed on
proxy(Streams, upstream)

// ---- services that are known at run time ----
const { Loaded } = await loadThrift('loaded.thrift')
new Server().add(proxy(Loaded, upstream))
new Server().add(proxy(Loaded, upstream, { methods: ['getItem'] }), { text: (text) => text })
