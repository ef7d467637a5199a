import { formatAddress, parseAddress, type Address, type ParsedAddress } from './address.js'
import type { CallContext, CallOrigin } from './call-context.js'
import { ClientConnection } from './client-connection.js'
import {
  nativeClientOptions,
  type ClientOptions,
  type ConnectionOptions,
  type PoolOptions,
  type ThriftProtocol,
  type ThriftTransport,
} from './client-options.js'
import { callWithin, type CallOptions, type CallOptionsOf, type ThriftCallOptions } from './call-options.js'
import { systemClock } from './clock.js'
import type { ConnectivityState } from './connectivity.js'
import { compose, type Stage } from './compose.js'
import type { Context, ContextOf } from './context.js'
import type { MethodDescriptor, RequestInitOf, ResponseOf, ServiceDescriptor, ShapeOf } from './descriptor.js'
import { milliseconds, type Duration } from './duration.js'
import { VoloError } from './errors.js'
import type { Layer } from './layer.js'
import { Metadata } from './metadata.js'
import { methodInfo, type MethodInfo } from './method-info.js'
import { Scope } from './scope.js'
import { ThriftCallContext } from '../thrift/thrift-call-context.js'
import { grpcClientMethod } from '../grpc/grpc-client-method.js'
import { rejected, type Answer } from './service.js'
import { chooseRuntime, type ChosenRuntime, type RuntimeKind, type RuntimeOptions } from './runtime.js'
import type { ClientTlsOptions } from './tls-options.js'
import type { ClientStats } from './stats.js'
import type { UpstreamBuilder, UpstreamDescription } from './upstream.js'
import type { WarmUpOptions } from './warm-up.js'

/** A method of a client. A request whose every field may be absent may itself be left out. */
export type ClientMethod<Req, Res, Options = CallOptions> = Ask<Req, Promise<Res>, Options>

type Ask<Req, Answers, Options> =
  // eslint-disable-next-line @typescript-eslint/no-generated-empty-object-type -- the type of `{}` is what is meant
  Record<never, never> extends Req
    ? (request?: Req, options?: Options) => Answers
    : (request: Req, options?: Options) => Answers

/** Messages of a stream that a caller gives; an array will do. */
export type Messages<T> = Iterable<T> | AsyncIterable<T>

/** Methods of a client by which of their sides are streams. */
interface ClientMethods<Req, Res, Options> {
  readonly unary: ClientMethod<Req, Res, Options>
  readonly serverStream: Ask<Req, AsyncIterable<Res>, Options>
  readonly clientStream: (requests: Messages<Req>, options?: Options) => Promise<Res>
  readonly bidiStream: (requests: Messages<Req>, options?: Options) => AsyncIterable<Res>
}

/**
 * The methods of a service, and nothing else: an IDL may have a method `close` or `then`. Close it with `await using` or
 * {@link Client.close}. It is safe to share.
 */
export type Client<S extends ServiceDescriptor> = {
  readonly [Name in keyof S['methods']]: ClientMethods<
    RequestInitOf<S, Name>,
    ResponseOf<S, Name>,
    CallOptionsOf[S['protocol']]
  >[ShapeOf<S, Name>]
} & AsyncDisposable

/** Where the builder's work is kept, out of the way of the IDL's names. */
const internals: unique symbol = Symbol('volo-js.client')

interface Internals {
  readonly connection: ClientConnection
  readonly stages: readonly Stage[]
}

/** How long calls in flight may go on when a client is closed, in milliseconds. */
const defaultGrace = 5000

/** Makes and closes clients. */
export const Client = {
  /**
   * Begins a client of a service.
   * @param callee Name of the service that is called, for discovery, logs and metrics.
   *
   * @example
   * const client = Client.of(ItemService, 'shop.item').layerOuter(timeout('3s')).address('[::1]:8080').build()
   * const { item } = await client.getItem({ id: 1024n })
   */
  of<S extends ServiceDescriptor>(service: S, callee: string): ClientBuilder<S, ContextOf<S['protocol']>> {
    return new ClientBuilder(service, callee)
  },

  /**
   * Lets calls in flight finish, fails those that do not, closes the connections. Calls made afterwards fail.
   */
  close(client: object, options: { readonly grace?: Duration } = {}): Promise<void> {
    return internalsOf(client).connection.close(
      options.grace === undefined ? defaultGrace : milliseconds(options.grace, 'grace'),
    )
  },

  /**
   * Connections that are made from now on use these certificates; those that are open go on as they began.
   * @throws VoloError INVALID_ARGUMENT if they cannot be used, and all is as before; FAILED_PRECONDITION for a client without TLS.
   */
  reloadTls(client: object, options: ClientTlsOptions): void {
    internalsOf(client).connection.reloadTls(options)
  },

  /**
   * Thrift: makes connections, TLS included, before the first call needs them. Where a pool has idle ones, these count; the `idleTimeout` of the pool closes
   * them again if no call comes.
   * @returns when all are made, or have failed.
   * @throws TransportError UNAVAILABLE if one cannot be made, unless `errors` says otherwise, or if the client is closed; VoloError
   *   INVALID_ARGUMENT for more connections than the client may have; FAILED_PRECONDITION for a client of gRPC.
   *
   * @example
   * const client = Client.of(ItemService, 'shop.item').address('[::1]:8080').pool({ size: 16 }).build()
   * await Client.warmUp(client, { connections: 8 })
   */
  warmUp(client: object, options: WarmUpOptions = {}): Promise<void> {
    return internalsOf(client).connection.warmUp(options)
  },

  /** Counters at this moment. */
  stats(client: object): ClientStats {
    return internalsOf(client).connection.stats()
  },

  /**
   * gRPC: whether the server can be reached. A client connects when a call needs it, so one that has made none is `IDLE`.
   * @throws VoloError FAILED_PRECONDITION for a client of Thrift.
   */
  state(client: object): ConnectivityState {
    return internalsOf(client).connection.state()
  },

  /**
   * gRPC: tells of every change of {@link Client.state} from now on. It does not keep the process alive.
   * @returns a function that ends it.
   * @throws VoloError FAILED_PRECONDITION for a client of Thrift.
   */
  watchState(client: object, listener: (state: ConnectivityState) => void): () => void {
    return internalsOf(client).connection.watchState(listener)
  },

  /** The layers in the order requests see them. */
  explain(client: object): readonly Stage[] {
    return internalsOf(client).stages
  },
}

function internalsOf(client: object): Internals {
  const found = (client as { readonly [internals]?: Internals })[internals]
  if (found !== undefined) return found
  throw new VoloError('INVALID_ARGUMENT', 'that is no client of volo-js; pass what build() returned')
}

/** Gathers what a client is made of. */
export class ClientBuilder<S extends ServiceDescriptor, Cx extends Context> implements UpstreamBuilder {
  readonly #service: S
  readonly #callee: string
  readonly #outer: Layer<Cx>[] = []
  readonly #inner: Layer<Cx>[] = []
  #address: Address | undefined
  #mode: ConnectionOptions['mode'] = 'pingpong'
  #transport: ThriftTransport = 'framed'
  #protocol: ThriftProtocol = 'binary'
  #caller = ''
  #multiplexedService = false
  #pool: PoolOptions = {}
  #connectTimeout: Duration | undefined
  #options: ClientOptions = {}
  #runtime: ChosenRuntime | undefined
  #tls: ClientTlsOptions | undefined

  /** @internal */
  constructor(service: S, callee: string) {
    this.#service = service
    this.#callee = callee
  }

  /** Adds a layer around the whole call, inside of the outer layers there are. */
  layerOuter(layer: Layer<Cx>): this {
    this.#outer.push(layer)
    return this
  }

  /** Adds a layer around the whole call, outside of all there are. */
  layerOuterFront(layer: Layer<Cx>): this {
    this.#outer.unshift(layer)
    return this
  }

  /** Adds a layer around one attempt, after its address is chosen, inside of all there are. */
  layerInner(layer: Layer<Cx>): this {
    this.#inner.push(layer)
    return this
  }

  /** Adds a layer around one attempt, after its address is chosen, outside of the inner layers there are. */
  layerInnerFront(layer: Layer<Cx>): this {
    this.#inner.unshift(layer)
    return this
  }

  /** Where to connect. Names are looked up at the first call, and again after a connection has failed. */
  address(address: Address): this {
    this.#address = address
    return this
  }

  /**
   * How connections are kept. In Thrift a pool is what clients have unless {@link pipelined} is called. Calls of gRPC share connections, `connections` of
   * {@link ClientOptions} says how many; `idleTimeout` and `maxLifetime` hold there, too, and `size` says nothing.
   */
  pool(options: PoolOptions): this {
    this.#mode = 'pingpong'
    this.#pool = { ...this.#pool, ...options }
    return this
  }

  /**
   * Thrift: sends all calls over one connection without waiting for answers. Far faster with many calls at once; the peer must read on
   * while it answers, and either answer in order or echo sequence ids. Servers of volo-js do.
   */
  pipelined(): this {
    this.#mode = 'pipelined'
    return this
  }

  /**
   * Chooses what moves the bytes; a client lives on one of the threads. `VOLO_RUNTIME` and `VOLO_THREADS` in the environment come
   * before it. Default `'inline'`, `'tokio'` on Windows; addresses `memory:…` are always inline.
   * @throws VoloError INVALID_ARGUMENT for a kind or number of threads that is none; FAILED_PRECONDITION for a kind that this system does
   *   not have.
   */
  runtime(kind: RuntimeKind, options: RuntimeOptions = {}): this {
    this.#runtime = chooseRuntime(kind, options)
    return this
  }

  /** Time to establish a connection. Default `'1s'`. */
  connectTimeout(timeout: Duration): this {
    this.#connectTimeout = timeout
    return this
  }

  /**
   * Thrift: sends many calls at once over a few connections; answers come in any order and are told apart by sequence ids. The server has to
   * expect it: Kitex and Volo where they are multiplexed, volo-js with `multiplex` for answers out of turn. Goes with TTHeader as a rule.
   */
  multiplexed(options: { readonly connections?: number } = {}): this {
    this.#mode = 'pipelined'
    if (options.connections !== undefined) this.#options = { ...this.#options, connections: options.connections }
    return this
  }

  /** Thrift: how requests are marked off. Servers of volo-js tell all of them apart. Default `'framed'`. */
  transport(transport: ThriftTransport): this {
    this.#transport = transport
    return this
  }

  /** Thrift: how requests are written. Servers of volo-js tell them apart. Default `'binary'`. */
  protocol(protocol: ThriftProtocol): this {
    this.#protocol = protocol
    return this
  }

  /** Name of the service that calls, for the callee to see; travels over TTHeader. Default: none. */
  caller(service: string): this {
    this.#caller = service
    return this
  }

  /**
   * Thrift: the service's name in the IDL stands in front of its methods' (`Service:method`), as servers with Apache's multiplexed processor
   * expect it.
   */
  multiplexedService(): this {
    this.#multiplexedService = true
    return this
  }

  /**
   * Encrypts its connections, and makes sure of the server: its certificate must be issued by somebody who is trusted, and be for the host of
   * the address. Addresses `memory:…` have nothing to encrypt.
   */
  tls(options: ClientTlsOptions = {}): this {
    this.#tls = options
    return this
  }

  /** Sets options; those set before stay. */
  options(options: ClientOptions): this {
    this.#options = { ...this.#options, ...options }
    return this
  }

  /**
   * The client. It connects when a call needs it.
   * @throws VoloError INVALID_ARGUMENT if there is no address, or an option is wrong.
   */
  build(): Client<S> {
    const connection = new ClientConnection(
      this.#callee,
      this.#service,
      this.#parsedAddress(),
      this.#connectionOptions(),
    )
    const layers = [...this.#outer, ...this.#inner] as unknown as Layer<CallContext>[]
    const { service, stages } = compose(layers, connection)
    const { address } = connection
    const origin: CallOrigin = {
      side: 'client',
      caller: { service: this.#caller, address: undefined },
      callee: { service: this.#callee, address },
      clock: this.#options.clock ?? systemClock,
      peerOf: () => address,
      peerTlsOf: () => undefined,
    }
    const call = service.call.bind(service)
    const client = Object.create(null) as Record<string | symbol, unknown>
    for (const method of Object.values(this.#service.methods)) {
      const make = this.#service.protocol === 'grpc' ? grpcClientMethod : clientMethod
      const value = make(origin, methodInfo(this.#service, method), method, call)
      Object.defineProperty(client, method.name, { value, enumerable: true })
    }
    Object.defineProperty(client, internals, { value: { connection, stages } satisfies Internals })
    Object.defineProperty(client, Symbol.asyncDispose, { value: () => connection.close(defaultGrace) })
    return Object.freeze(client) as unknown as Client<S>
  }

  /** @internal What a server needs to know that passes calls on. */
  asUpstream(): UpstreamDescription {
    const wrong = this.#wrongAsUpstream()
    if (wrong !== undefined) {
      throw new VoloError('INVALID_ARGUMENT', `the client of '${this.#callee}' ${wrong}`)
    }
    const description: UpstreamDescription = {
      callee: this.#callee,
      service: this.#service,
      address: this.#parsedAddress(),
      options: this.#connectionOptions(),
    }
    nativeClientOptions(description.options)
    return description
  }

  #wrongAsUpstream(): string | undefined {
    if (this.#service.protocol !== 'thrift') return 'speaks gRPC; only calls of Thrift can be passed on'
    if (this.#outer.length + this.#inner.length > 0) {
      return 'has layers, which calls that are passed on do not come by; leave them out. How long a call may take is an option of proxy'
    }
    return this.#runtime === undefined
      ? undefined
      : 'has a runtime; leave it out, for it lives where the server lives that passes calls on to it'
  }

  #parsedAddress(): ParsedAddress {
    if (this.#address !== undefined) return parseAddress(this.#address, '127.0.0.1')
    throw new VoloError('INVALID_ARGUMENT', `the client of '${this.#callee}' has no address; call address('host:port')`)
  }

  #connectionOptions(): ConnectionOptions {
    return {
      ...this.#options,
      mode: this.#mode,
      transport: this.#transport,
      protocol: this.#protocol,
      caller: this.#caller,
      multiplexedService: this.#multiplexedService,
      pool: this.#pool,
      connectTimeout: this.#connectTimeout,
      runtime: this.#runtime ?? chooseRuntime(),
      tls: this.#tls,
    }
  }
}

/** What the options of a call say beside what bounds it. */
function configure(cx: ThriftCallContext, { metadata, metainfo, address, parent }: ThriftCallOptions): void {
  if (metadata !== undefined || metainfo !== undefined || address !== undefined) {
    const given = metadata === undefined || metadata instanceof Metadata ? metadata : new Metadata(metadata)
    cx.configure(metainfo, given, address === undefined ? undefined : formatAddress(parseAddress(address, '127.0.0.1')))
  }
  const from = parent instanceof Scope ? parent.madeFor : parent
  if (from instanceof ThriftCallContext) cx.inherit(from)
}

function clientMethod(
  origin: CallOrigin,
  info: MethodInfo,
  method: MethodDescriptor,
  call: (cx: CallContext, request: unknown) => Answer<unknown>,
): (request?: unknown, options?: CallOptions) => Promise<unknown> {
  return (request = {}, options?: ThriftCallOptions) => {
    const cx = new ThriftCallContext(origin, info, method, -1, 0, 0, 0, undefined)
    try {
      if (options !== undefined) configure(cx, options)
      const answer = options === undefined ? call(cx, request) : callWithin(cx, options, call, request)
      if (answer instanceof Promise) return answer as Promise<unknown>
      return Promise.resolve(answer)
    } catch (error) {
      return rejected(error)
    }
  }
}
