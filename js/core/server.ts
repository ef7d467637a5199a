import { formatAddress, nativeAddress, parseAddress, resolveAddress, type Address } from './address.js'
import type { CallContext, CallOrigin } from './call-context.js'
import { systemClock } from './clock.js'
import { compose } from './compose.js'
import type { Context, ContextOf } from './context.js'
import type { MethodDescriptor, ServiceDescriptor } from './descriptor.js'
import { VoloError } from './errors.js'
import type { Handlers } from './handlers.js'
import { isolate } from './isolate.js'
import { keeper, type Keeper } from './keeper.js'
import type { Layer } from './layer.js'
import { methodInfo } from './method-info.js'
import { reportEvent } from './report.js'
import { closeOnSignal } from './run.js'
import { chooseRuntime, type ChosenRuntime, type RuntimeKind, type RuntimeOptions } from './runtime.js'
import { ServerHandle } from './server-handle.js'
import { handoverOf, nativeListenOptions, type ServerOptions } from './server-options.js'
import { handlerService, ServingCalls, type ServedMethod } from './serving-calls.js'

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
  readonly #services: { readonly descriptor: ServiceDescriptor; readonly impl: object }[] = []
  readonly #layers: Layer<Cx>[] = []
  #options: ServerOptions = {}
  #runtime: ChosenRuntime | undefined

  /** A server of one service; short for `new Server().add(service, impl)`. */
  static of<S extends ServiceDescriptor>(service: S, impl: Handlers<S>): Server<ContextOf<S['protocol']>> {
    return new Server<ContextOf<S['protocol']>>().add(service, impl)
  }

  /**
   * Serves one more service.
   * @throws VoloError INVALID_ARGUMENT if a method has no handler, if another service has a method of that name, or if the service
   *   comes from another build.
   */
  add<S extends ServiceDescriptor>(service: S, impl: Handlers<S>): this {
    const missing = Object.values(service.methods).filter((method) => handlerOf(impl, method) === undefined)
    if (missing.length > 0) {
      const names = missing.map((method) => `'${method.name}'`).join(', ')
      throw new VoloError(
        'INVALID_ARGUMENT',
        `${service.name} has no handler for ${names}; add a function of that name`,
      )
    }
    for (const { descriptor } of this.#services) checkTogether(descriptor, service)
    this.#services.push({ descriptor: service, impl })
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
   * Binds and begins to serve.
   * @throws VoloError INVALID_ARGUMENT for an address or option that is none, UNAVAILABLE if the address cannot be bound.
   */
  async listen(address: Address): Promise<ServerHandle> {
    const [first] = this.#services
    if (first === undefined)
      throw new VoloError('INVALID_ARGUMENT', 'the server has no service; call add(service, impl) first')
    const options = this.#options
    const runtime = this.#runtime ?? chooseRuntime()
    const native = { ...nativeListenOptions(options), ...runtime }
    const resolved = await resolveAddress(parseAddress(address, '::'))
    const chain = compose(this.#layers as unknown as Layer<CallContext>[], handlerService)
    const methods = this.#methods()
    const home = isolate()
    const program = home.load(first.descriptor.program)
    const services = this.#services.map(({ descriptor }) => descriptor.index)
    const bound = { ...native, ...nativeAddress(resolved) }
    const kept = resolved.kind === 'memory' ? undefined : await keeperOf(options.handover)
    const id = home.reserve()
    let listening
    try {
      if (kept !== undefined) bound.held = await kept.bind(bound)
      listening = home.core.listen(id, program, services, bound)
    } catch (cause) {
      home.release(id)
      kept?.abandon?.()
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
      callee: { service: first.descriptor.name, address: listening.address },
      clock: options.clock ?? systemClock,
      peerOf: (cx) => home.core.peer(id, cx.slot, cx.connection, cx.serial),
    }
    const serving = new ServingCalls(
      origin,
      methods,
      chain.service,
      home.isolation,
      home.out,
      id,
      options.onError ?? ((error, cx) => reportEvent(2, `${cx.method.service}.${cx.method.wireName} failed`, error)),
    )
    const onEvent = options.onEvent ?? (({ level, text }) => reportEvent(level === 'error' ? 2 : 1, text))
    const stages = [...chain.stages, { name: 'handler', runs: 'sync' } as const]
    const handle = new ServerHandle(home, id, runtime.runtime, listening, serving, stages, onEvent)
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

  /** Methods by their index in the program. */
  #methods(): (ServedMethod | undefined)[] {
    const methods: (ServedMethod | undefined)[] = []
    for (const { descriptor: service, impl } of this.#services) {
      for (const method of Object.values(service.methods)) {
        const handler = handlerOf(impl, method)
        if (handler === undefined) continue
        while (methods.length <= method.index) methods.push(undefined)
        methods[method.index] = { info: methodInfo(service, method), descriptor: method, handler: handler.bind(impl) }
      }
    }
    return methods
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

/** The function that answers a method; what every object inherits does not count. */
function handlerOf(impl: object, method: MethodDescriptor): ServedMethod['handler'] | undefined {
  const value: unknown = (impl as Record<string, unknown>)[method.name]
  if (typeof value !== 'function') return undefined
  const inherited: unknown = (Object.prototype as unknown as Record<string, unknown>)[method.name]
  return value === inherited ? undefined : (value as ServedMethod['handler'])
}

function checkTogether(first: ServiceDescriptor, second: ServiceDescriptor): void {
  if (first.program.hash !== second.program.hash) {
    throw new VoloError(
      'INVALID_ARGUMENT',
      `${first.name} and ${second.name} come from different builds; build their IDL files with one \`volo build\``,
    )
  }
  const names = new Map(Object.values(first.methods).map((method) => [method.wireName, method.index]))
  for (const method of Object.values(second.methods)) {
    const index = names.get(method.wireName)
    if (index !== undefined && index !== method.index) {
      throw new VoloError(
        'INVALID_ARGUMENT',
        `${first.name} and ${second.name} both have a method '${method.wireName}', and Thrift tells calls apart by that name only; serve them on two addresses`,
      )
    }
  }
}
