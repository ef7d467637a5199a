import { formatAddress, nativeAddress, parseAddress, resolveAddress, type Address } from './address.js'
import type { NativeListenOptions } from './addon.js'
import type { CallContext, CallOrigin } from './call-context.js'
import { systemClock } from './clock.js'
import { compose } from './compose.js'
import type { Context, ContextOf } from './context.js'
import type { MethodTable, ServiceDescriptor } from './descriptor.js'
import { VoloError } from './errors.js'
import type { Handlers } from './handlers.js'
import { GrpcServing } from '../grpc/grpc-serving.js'
import { isolate } from './isolate.js'
import { keeper, type Keeper } from './keeper.js'
import type { Layer } from './layer.js'
import { reportEvent } from './report.js'
import { closeOnSignal } from './run.js'
import { chooseRuntime, type ChosenRuntime, type RuntimeKind, type RuntimeOptions } from './runtime.js'
import { ServerHandle } from './server-handle.js'
import { handoverOf, nativeListenOptions, type ServerOptions } from './server-options.js'
import { checkService, restOf, servingOf, type ServedService } from './served.js'
import { peerTls } from './peer-tls.js'
import { nativeServerTls, tlsError, type ServerTlsOptions } from './tls-options.js'
import { handlerService, ServingCalls, type ErrorHook, type ServedMethod } from './serving-calls.js'
import { Upstreams } from './upstream.js'
import type { ProxiedService } from '../thrift/proxy.js'
import type { UnknownMethodHandler } from '../thrift/raw-call.js'

/**
 * Serves one or more services behind a chain of layers.
 *
 * @example
 * await Server.of(ItemService, { getItem: ({ id }) => ({ item: find(id) }) })
 *   .layerFront(log())
 *   .layer(timeout('3s'))
 *   .run('[::1]:8080')
 */
export class Server<Cx extends Context = Context> {
  readonly #services: ServedService[] = []
  readonly #layers: Layer<Cx>[] = []
  #options: ServerOptions = {}
  #unknownMethod: UnknownMethodHandler | undefined
  #runtime: ChosenRuntime | undefined
  #tls: ServerTlsOptions | undefined

  /** A server of one service; short for `new Server().add(service, impl)`. */
  static of<S extends ServiceDescriptor>(service: S, impl: Handlers<S>): Server<ContextOf<S['protocol']>> {
    return new Server<ContextOf<S['protocol']>>().add(service, impl)
  }

  /**
   * Serves one more service. Calls of Thrift that do not say which service they are for go to the first one that has their method; they may say
   * so in front of the method's name (`Service:method`, as Apache's multiplexed processor has it), or in TTHeader.
   * @throws VoloError INVALID_ARGUMENT if a method has no handler, or if there is a service of that name.
   */
  add<S extends ServiceDescriptor>(service: S, impl: Handlers<S>): this
  /** Serves one more service, all of whose calls are passed on: see {@link proxy}. */
  add<Methods extends MethodTable>(
    service: ProxiedService<Methods> & (keyof Methods extends never ? unknown : never),
  ): this
  add(descriptor: ServiceDescriptor, impl: object = {}): this {
    checkService({ descriptor, impl }, this.#services)
    this.#services.push({ descriptor, impl })
    return this
  }

  /** Adds a layer inside of all there are: it sees the request last, and the answer first. */
  layer(layer: Layer<Cx>): this {
    this.#layers.push(layer)
    return this
  }

  /** Adds a layer outside of all there are: it sees the request first, and the answer last. */
  layerFront(layer: Layer<Cx>): this {
    this.#layers.unshift(layer)
    return this
  }

  /**
   * Thrift: answers calls of methods that no service here has, as bytes; layers see them as the others. Default: they are answered with
   * ThriftApplicationError UNKNOWN_METHOD.
   */
  unknownMethod(handler: UnknownMethodHandler): this {
    this.#unknownMethod = handler
    return this
  }

  /** Sets options; those set before stay. */
  options(options: ServerOptions): this {
    this.#options = { ...this.#options, ...options }
    return this
  }

  /**
   * Chooses what moves the bytes. `VOLO_RUNTIME` and `VOLO_THREADS` in the environment come before it. Default `'inline'`, which is
   * what one core does best, and `'tokio'` on Windows; addresses `memory:…` are always inline.
   * @throws VoloError INVALID_ARGUMENT for a kind or number of threads that is none; FAILED_PRECONDITION for a kind that this system does
   *   not have.
   */
  runtime(kind: RuntimeKind, options: RuntimeOptions = {}): this {
    this.#runtime = chooseRuntime(kind, options)
    return this
  }

  /**
   * Encrypts its connections; addresses `memory:…` have none to encrypt. HTTP/2 is agreed on (ALPN) where gRPC is served. The certificates may
   * be replaced later: {@link ServerHandle.reloadTls}.
   */
  tls(options: ServerTlsOptions): this {
    this.#tls = options
    return this
  }

  /**
   * Binds and begins to serve.
   * @throws VoloError INVALID_ARGUMENT for an address or option that is none, UNAVAILABLE if the address cannot be bound.
   */
  async listen(address: Address): Promise<ServerHandle> {
    const first = this.#services.at(0)
    const unknown = this.#unknownMethod as ServedMethod['handler'] | undefined
    if (first === undefined && unknown === undefined)
      throw new VoloError('INVALID_ARGUMENT', 'the server has no service; call add(service, impl) first')
    const options = this.#options
    const runtime = this.#runtime ?? chooseRuntime()
    const native = { ...nativeListenOptions(options), ...runtime }
    const resolved = await resolveAddress(parseAddress(address, '::'))
    const chain = compose(this.#layers as unknown as Layer<CallContext>[], handlerService)
    const home = isolate()
    const thrift = servingOf(this.#services, 'thrift', home)
    const grpc = servingOf(this.#services, 'grpc', home)
    const rest = restOf(this.#services)
    if (rest.length > 0 && unknown !== undefined) {
      throw new VoloError(
        'INVALID_ARGUMENT',
        'calls of methods that no service has are passed on (AnyService) and answered (unknownMethod); leave one of the two out',
      )
    }
    const bound: NativeListenOptions = { ...native, ...nativeAddress(resolved) }
    const chosen: ChosenRuntime = resolved.kind === 'memory' ? { runtime: 'inline', threads: 0 } : runtime
    if (unknown !== undefined) bound.takesUnknown = true
    if (this.#tls !== undefined) bound.tls = nativeServerTls(this.#tls)
    const kept = resolved.kind === 'memory' ? undefined : await keeperOf(options.handover)
    const upstreams = await Upstreams.of([...(thrift?.passed ?? []), ...rest], home, chosen)
    if (upstreams.native.length > 0) {
      bound.upstreams = upstreams.native
      bound.routes = upstreams.routes
    }
    const id = home.reserve()
    let listening
    try {
      if (kept !== undefined) bound.held = await kept.bind(bound)
      listening = home.core.listen(id, thrift?.native, grpc?.native, bound)
    } catch (thrown) {
      home.release(id)
      upstreams.release()
      kept?.abandon?.()
      const cause = tlsError(thrown)
      if (VoloError.is(cause)) throw cause
      throw new VoloError(
        'UNAVAILABLE',
        `cannot listen on ${formatAddress(resolved)}: ${(cause as Error).message}; choose another address, or end what has it`,
        { cause },
      )
    }
    const origin: CallOrigin = {
      side: 'server',
      caller: { service: '', address: undefined },
      callee: { service: first?.descriptor.name ?? '', address: listening.address },
      clock: options.clock ?? systemClock,
      peerOf: (cx) => home.core.peer(id, cx.slot, cx.connection, cx.serial),
      peerTlsOf: (cx) => {
        const tls = home.core.peerTls(id, cx.slot, cx.connection, cx.serial)
        return tls === null ? undefined : peerTls(tls)
      },
    }
    const onError: ErrorHook =
      options.onError ?? ((error, cx) => reportEvent(2, `${cx.method.service}.${cx.method.wireName} failed`, error))
    const make = [chain.service, home.out, id, onError] as const
    const serving =
      (thrift !== undefined || unknown !== undefined) &&
      new ServingCalls(origin, thrift?.methods ?? [], ...make, unknown)
    const grpcServing = grpc && new GrpcServing(origin, grpc.methods, ...make)
    const onEvent = options.onEvent ?? (({ level, text }) => reportEvent(level === 'error' ? 2 : 1, text))
    const stages = [...chain.stages, { name: 'handler', runs: 'sync' } as const]
    const handle = new ServerHandle(
      home,
      id,
      runtime.runtime,
      listening,
      { serving: serving || undefined, grpc: grpcServing },
      stages,
      onEvent,
      grpc !== undefined && options.health !== false,
      upstreams,
    )
    if (bound.held === undefined || kept === undefined) return handle
    try {
      handle.keptBy(kept.serving(bound.held, handle))
    } catch (error) {
      kept.abandon?.()
      await handle.close({ grace: 0 })
      throw error
    }
    return handle
  }

  /**
   * For a main program: listens, drains on SIGTERM and SIGINT, and resolves when closed. A second signal ends the process at once.
   * @param started Called with the handle once the server listens.
   */
  async run(address: Address, started?: (handle: ServerHandle) => void): Promise<void> {
    const handle = await this.listen(address)
    const stop = closeOnSignal(handle)
    try {
      started?.(handle)
      await handle.closed
    } finally {
      stop()
    }
  }
}

/** Who keeps the socket: the supervisor of these isolates, or the processes that hand it on; nobody but the server, as a rule. */
async function keeperOf(handover: ServerOptions['handover']): Promise<Keeper | undefined> {
  const supervisor = keeper()
  const settings = handoverOf(handover)
  if (settings === undefined) return supervisor
  if (supervisor !== undefined) {
    throw new VoloError(
      'INVALID_ARGUMENT',
      'an isolate of runIsolates has its socket from there; give handover to runIsolates instead',
    )
  }
  // Loaded where it is wanted: most servers start without.
  const { Handover } = await import('../restart/handover.js')
  return new Handover(settings.path, settings.grace)
}
