/** Services whose calls a server passes on to other servers, as bytes. */
import type { MethodDescriptor, MethodTable, Program, ThriftServiceDescriptor } from '../core/descriptor.js'
import { milliseconds, type Duration } from '../core/duration.js'
import { VoloError } from '../core/errors.js'
import { define } from '../core/tape/checks.js'
import { LAYOUT_VERSION } from '../core/tape/layout.js'
import type { UpstreamBuilder } from '../core/upstream.js'
import { schemaHash } from '../schema/program.js'

/** Options of {@link proxy}. */
export interface ProxyOptions<Names extends PropertyKey = string> {
  /** Methods whose calls are passed on, by the names that clients have; the others need handlers. Default: all. */
  readonly methods?: readonly Names[]
  /**
   * How long an answer may take; then the caller is told DEADLINE_EXCEEDED, and the call is given up. A caller that waits for less (it says so over
   * TTHeader) is answered then. Default: as long as the caller is there.
   */
  readonly timeout?: Duration
}

/** Calls that are passed on. */
export interface Passage {
  readonly upstream: UpstreamBuilder
  /** Milliseconds. */
  readonly timeout: number | undefined
  /** Indexes into the program's methods. */
  readonly methods: readonly number[]
  /** Are they those that no service has? */
  readonly isRest: boolean
}

/** A service some or all of whose methods are passed on. Its `methods` are those that need handlers. */
export interface ProxiedService<Methods extends MethodTable = MethodTable> extends ThriftServiceDescriptor<Methods> {
  readonly passages: readonly Passage[]
}

const nothing = JSON.stringify({ structs: [], methods: [], services: [] })

const emptyProgram: Program = { layout: LAYOUT_VERSION, hash: schemaHash(nothing), schema: nothing }

/**
 * Stands for all methods that no service of a server has: their calls can be passed on without an IDL.
 *
 * @example
 * const estate = Client.of(AnyService, 'estate').address('10.0.0.7:9090')
 * await new Server().add(ItemService, items).add(proxy(AnyService, estate)).listen('[::]:9090')
 */
// eslint-disable-next-line @typescript-eslint/no-generated-empty-object-type -- it has no methods of its own
export const AnyService: ThriftServiceDescriptor<Record<never, MethodDescriptor>> = {
  name: '*',
  protocol: 'thrift',
  program: emptyProgram,
  index: 0,
  methods: {},
}

/** Is a service {@link AnyService}, whatever is said of its calls? */
export function isAnyService({ program }: { readonly program: Program }): boolean {
  return program.hash === emptyProgram.hash
}

/**
 * A service whose calls a server passes on. Arguments and results go through as bytes: no JavaScript runs for them, and nobody decodes them
 * unless the caller speaks another protocol than the upstream. Names, metainfo and business errors travel where both sides have headers.
 *
 * @param service What callers call; {@link AnyService} for what no other service has.
 * @param upstream A client, not built yet: what it says of address, transport, protocol, connections and TLS holds. It has connections of its own on
 *   every thread of the server, and closes with it.
 * @throws VoloError INVALID_ARGUMENT for a service or upstream that is none of Thrift, for an upstream with layers or a runtime, and for a method
 *   that the service does not have.
 * @example
 * const items = Client.of(ItemService, 'shop.item').address('10.0.0.7:9090').transport('ttheader')
 * await new Server().add(proxy(ItemService, items)).listen('[::]:9090')
 * // Some methods are passed on, the others answered here.
 * server.add(proxy(ItemService, items, { methods: ['getItem'] }), { putItem: (item) => store(item) })
 */
export function proxy<
  S extends ThriftServiceDescriptor,
  const Names extends keyof S['methods'] & string = keyof S['methods'] & string,
>(service: S, upstream: UpstreamBuilder, options: ProxyOptions<Names> = {}): ProxiedService<Omit<S['methods'], Names>> {
  // Descriptors that are only known at run time may be of either protocol.
  if ((service.protocol as string) !== 'thrift') {
    throw new VoloError(
      'INVALID_ARGUMENT',
      `${service.name} is no service of Thrift; calls of gRPC cannot be passed on`,
    )
  }
  // What is wrong with it is told where it is given.
  upstream.asUpstream()
  const methods: MethodTable = service.methods
  const names: readonly string[] = options.methods ?? Object.keys(methods)
  const missing = names.find((name) => !Object.hasOwn(methods, name))
  if (missing !== undefined) {
    throw new VoloError(
      'INVALID_ARGUMENT',
      `${service.name} has no method ${JSON.stringify(missing)} that is not passed on already`,
    )
  }
  const passage: Passage = {
    upstream,
    timeout: options.timeout === undefined ? undefined : milliseconds(options.timeout, 'timeout'),
    methods: names.map((name) => methods[name].index),
    isRest: isAnyService(service),
  }
  const rest: Record<string, MethodDescriptor> = {}
  for (const [name, method] of Object.entries(methods)) if (!names.includes(name)) define(rest, name, method)
  return {
    ...service,
    methods: rest as unknown as Omit<S['methods'], Names>,
    passages: [...passagesOf(service), passage],
  }
}

/** The calls of a service that are passed on. */
export function passagesOf(service: object): readonly Passage[] {
  return (service as Partial<ProxiedService>).passages ?? []
}
