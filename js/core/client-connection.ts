import { addon, type NativeClientOptions, type NativeClientTls } from './addon.js'
import {
  formatAddress,
  isResolved,
  nativeAddress,
  parseAddress,
  resolveAddress,
  type ParsedAddress,
} from './address.js'
import type { CallContext } from './call-context.js'
import { clientClosed, type Caller } from './client-calls.js'
import { defaultPoolSize, hasHeaders, nativeClientOptions, type ConnectionOptions } from './client-options.js'
import type { GrpcMethodDescriptor, MethodDescriptor, ServiceDescriptor } from './descriptor.js'
import { connectivityStates, type ConnectivityState } from './connectivity.js'
import { closeWhenDropped, type Remains } from './dropped-clients.js'
import { VoloError } from './errors.js'
import { identify } from '../grpc/call-credentials.js'
import { ownGrpcContext } from '../grpc/grpc-call-context.js'
import { GrpcError } from '../grpc/grpc-error.js'
import { isolate } from './isolate.js'
import { reportEvent } from './report.js'
import type { Answer, Service } from './service.js'
import { checkClientTls, nativeClientTls, type ClientTlsOptions } from './tls-options.js'
import { noClientStats, type ClientStats } from './stats.js'
import { Elsewhere } from './elsewhere.js'
import { ownThriftContext, ThriftCallContext } from '../thrift/thrift-call-context.js'
import { checkConnections, connect, judge, type WarmUpOptions } from './warm-up.js'

/** How long a name's address is believed after a connection to it failed, in milliseconds. */
const resolveAgainAfter = 1000

/** A client of the core: one address it connects to. */
interface Link extends Caller {
  readonly closed: Promise<void>
}

/**
 * The innermost service of a client: hands calls to the core. It connects nothing by itself; the core does when a call needs it.
 * Names are looked up at the first call, and again after a connection has failed.
 */
export class ClientConnection implements Service<CallContext, unknown, unknown> {
  readonly #callee: string
  readonly #service: ServiceDescriptor
  readonly #address: ParsedAddress
  readonly #options: ConnectionOptions
  #link: Link | undefined
  #linking: Promise<Link> | undefined
  /** Where {@link #link} connects. */
  #linkedTo = ''
  /** When the address failed, in ms of the process clock; undefined if it did not. */
  #failedAt: number | undefined
  #closed: Promise<void> | undefined
  /** Connections to where single calls go; none if this is one of them. */
  readonly #elsewhere: Elsewhere | undefined
  #tls: NativeClientTls | undefined
  /** What is left in the core if this is dropped without being closed. */
  #remains: Remains | undefined
  readonly #watchers = new Set<(state: ConnectivityState) => void>()

  constructor(
    callee: string,
    service: ServiceDescriptor,
    address: ParsedAddress,
    options: ConnectionOptions,
    isElsewhere = false,
  ) {
    this.#callee = callee
    this.#service = service
    this.#address = address
    this.#options = options
    this.#elsewhere = isElsewhere
      ? undefined
      : new Elsewhere((other) => new ClientConnection(callee, service, other, options, true))
    // Wrong options are found where the client is built.
    nativeClientOptions(options)
    if (options.tls !== undefined) this.#tls = checkedTls(options.tls, address)
    if (options.credentials !== undefined && !this.#isSafe) throw new VoloError('INVALID_ARGUMENT', this.#unsafe)
  }

  /**
   * Connections that are made from now on use these; those that are open go on as they began.
   * @throws VoloError INVALID_ARGUMENT if they cannot be used, and all is as before; FAILED_PRECONDITION without TLS.
   */
  reloadTls(options: ClientTlsOptions): void {
    if (this.#tls === undefined) {
      throw new VoloError(
        'FAILED_PRECONDITION',
        `the client of '${this.#callee}' has no TLS; call tls(options) before build()`,
      )
    }
    this.#tls = checkedTls(options, this.#address)
    if (this.#link !== undefined) isolate().core.reloadClientTls(this.#link.owner, this.#tls)
  }

  /** As it was given; names are not replaced by what they stand for. */
  get address(): string {
    return formatAddress(this.#address)
  }

  readonly call = (cx: CallContext, request: unknown): Answer<unknown> => {
    if (this.#closed !== undefined) return Promise.reject(clientClosed(this.#callee))
    if (this.#elsewhere !== undefined && cx instanceof ThriftCallContext && cx.elsewhere !== undefined) {
      return this.#elsewhere.at(cx.elsewhere).call(cx, request)
    }
    const linked = this.#linked()
    if (linked !== undefined) return this.#start(linked, cx, request)
    // If it is closed meanwhile, this call was made before.
    return this.#resolved().then((link) => this.#start(link, cx, request))
  }

  /** The link, unless its name has to be looked up first. */
  #linked(): Link | undefined {
    if (this.#link !== undefined && this.#failedAt === undefined) return this.#link
    if (!isResolved(this.#address)) return undefined
    this.#failedAt = undefined
    this.#link ??= this.#connect(this.#address)
    return this.#link
  }

  /**
   * Makes connections to every address, so that calls need not wait for them.
   * @returns when all are made, TLS included, or have failed.
   * @throws VoloError INVALID_ARGUMENT for a number or an address that is none; FAILED_PRECONDITION for a client of gRPC; TransportError
   *   UNAVAILABLE if the client is closed, or a connection could not be made and that is not to be passed over.
   */
  async warmUp({ connections, addresses, errors }: WarmUpOptions = {}): Promise<void> {
    if (this.#service.protocol === 'grpc') {
      throw new VoloError(
        'FAILED_PRECONDITION',
        `the client of '${this.#callee}' speaks gRPC, whose connections are made when a call needs them`,
      )
    }
    const { mode, pool, connections: shared = 1 } = this.#options
    const most = mode === 'pipelined' ? shared : (pool.size ?? defaultPoolSize)
    const count = connections ?? (mode === 'pipelined' ? most : 1)
    checkConnections(count, most)
    const wanted = addresses?.map((address) => formatAddress(parseAddress(address, '127.0.0.1'))) ?? [this.address]
    const others = this.#elsewhere
    const failures = await Promise.all(
      wanted.map((address) =>
        (others === undefined || address === this.address ? this : others.at(address)).#warm(count),
      ),
    )
    judge(failures.flat(), errors)
  }

  /** Asks for connections to this one's address; gives why some of them cannot be made. */
  async #warm(count: number): Promise<unknown[]> {
    if (this.#closed !== undefined) return [clientClosed(this.#callee)]
    try {
      const link = this.#linked() ?? (await this.#resolved())
      const { slots, out } = isolate()
      const outcomes = await Promise.allSettled(connect(slots, out, link, this.#callee, count))
      return outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []))
    } catch (error) {
      return [error]
    }
  }

  #start(link: Link, cx: CallContext, request: unknown): Answer<unknown> {
    const method = cx.target as MethodDescriptor
    if (this.#service.protocol !== 'grpc') return isolate().calls.start(link, method, ownThriftContext(cx), request)
    const { grpcCalls } = isolate()
    const identity = this.#identity(cx)
    return typeof identity === 'string'
      ? grpcCalls.start(link, method as GrpcMethodDescriptor, cx, request, identity)
      : identity.then((text) => grpcCalls.start(link, method as GrpcMethodDescriptor, cx, request, text))
  }

  /** Metadata of the credentials of a call. */
  #identity(cx: CallContext): string | Promise<string> {
    const [ofClient, ofCall] = [this.#options.credentials, ownGrpcContext(cx).hooks.credentials]
    if (ofClient === undefined && ofCall === undefined) return ''
    if (!this.#isSafe) throw new GrpcError('UNAUTHENTICATED', this.#unsafe)
    const all = [ofClient, ofCall].filter((one) => one !== undefined)
    return identify(all, cx, this.#options.authority ?? this.address)
  }

  /** May secrets travel on its connections? */
  get #isSafe(): boolean {
    const { tls, insecureCredentials } = this.#options
    return tls !== undefined || insecureCredentials === true || this.#address.kind === 'memory'
  }

  get #unsafe(): string {
    return `the client of '${this.#callee}' has credentials and no TLS; call tls(), or set the option insecureCredentials`
  }

  /** Counters of the connections to the address that is called now. */
  stats(): ClientStats {
    const { state: _, ...now } = this.#counters()
    return { ...noClientStats, ...now }
  }

  #counters(): Partial<ClientStats> & { readonly state?: number } {
    if (this.#link === undefined) return {}
    return JSON.parse(isolate().core.clientStats(this.#link.owner)) as Partial<ClientStats> & { state?: number }
  }

  /**
   * Whether the server can be reached.
   * @throws VoloError FAILED_PRECONDITION for a client of Thrift.
   */
  state(): ConnectivityState {
    this.#onlyGrpc()
    return this.#closed === undefined ? connectivityStates[this.#counters().state ?? 0] : 'SHUTDOWN'
  }

  /**
   * Tells of every change of {@link state} from now on.
   * @returns ends that.
   * @throws VoloError FAILED_PRECONDITION for a client of Thrift.
   */
  watchState(listener: (state: ConnectivityState) => void): () => void {
    this.#onlyGrpc()
    // A function may watch twice, and end one of the two.
    const watcher = (state: ConnectivityState): void => listener(state)
    this.#watchers.add(watcher)
    return () => void this.#watchers.delete(watcher)
  }

  #onlyGrpc(): void {
    if (this.#service.protocol === 'grpc') return
    throw new VoloError(
      'FAILED_PRECONDITION',
      `the client of '${this.#callee}' speaks Thrift, whose clients have a pool and no state; see Client.stats(client)`,
    )
  }

  #changed(state: ConnectivityState): void {
    if (state === 'TRANSIENT_FAILURE' && this.#closed === undefined && !isResolved(this.#address)) {
      // Calls that wait for a connection never ask for the address again. A failure of this lookup is told to those that do.
      this.#linking ??= this.#resolve().finally(() => (this.#linking = undefined))
      this.#linking.catch(() => undefined)
    }
    for (const watcher of [...this.#watchers]) {
      try {
        watcher(state)
      } catch (error) {
        reportEvent(2, `a listener for the state of the client of '${this.#callee}' failed`, error)
      }
    }
  }

  /**
   * Lets calls in flight finish for `grace` milliseconds, closes the connections.
   * @returns when it is done.
   */
  close(grace: number): Promise<void> {
    this.#closed ??= this.#close(grace)
    return this.#closed
  }

  async #close(grace: number): Promise<void> {
    // A name may be being looked up; what comes of it must be closed as well.
    await this.#linking?.catch(() => undefined)
    const elsewhere = this.#elsewhere?.close(grace)
    if (this.#link !== undefined) await this.#unlink(this.#link, grace)
    else this.#changed('SHUTDOWN')
    await elsewhere
  }

  #unlink(link: Link, grace: number): Promise<void> {
    const { core } = isolate()
    if (this.#remains?.owner === link.owner) this.#remains.owner = undefined
    core.closeClient(link.owner, grace)
    // The end is told by the core, so the loop must live until then.
    core.ref()
    return link.closed
  }

  /** Passes states on. What lives as long as the owner must not hold the connection, nor a scope in which it is `this`: it would never be dropped. */
  static #teller(connection: WeakRef<ClientConnection>): (state: number) => void {
    return (state) => {
      const to = connection.deref()
      if (to !== undefined) to.#changed(connectivityStates[state])
    }
  }

  /** The link to what the name stands for now. */
  #resolved(): Promise<Link> {
    const { failedAt, link } = { failedAt: this.#failedAt, link: this.#link }
    if (link !== undefined && failedAt !== undefined && performance.now() - failedAt < resolveAgainAfter) {
      return Promise.resolve(link)
    }
    this.#linking ??= this.#resolve().finally(() => (this.#linking = undefined))
    return this.#linking
  }

  async #resolve(): Promise<Link> {
    const resolved = await resolveAddress(this.#address)
    const old = this.#link
    this.#failedAt = undefined
    if (old !== undefined && this.#linkedTo === formatAddress(resolved)) return old
    this.#linkedTo = formatAddress(resolved)
    if (old !== undefined && this.#service.protocol === 'grpc' && resolved.kind === 'tcp') {
      // Calls that wait for a connection go along.
      if (this.#closed === undefined) isolate().core.readdress(old.owner, resolved.host, resolved.port)
      return old
    }
    this.#link = this.#connect(resolved)
    if (old !== undefined) {
      this.#unlink(old, 60_000).catch((error: unknown) => reportEvent(1, 'a connection could not be closed', error))
    }
    return this.#link
  }

  #connect(address: ParsedAddress): Link {
    const home = isolate()
    const native: NativeClientOptions = { ...nativeClientOptions(this.#options), ...nativeAddress(address) }
    native.callee = this.#callee
    native.service = this.#service.name
    if (this.#options.multiplexedService) native.methodPrefix = `${this.#service.name}:`
    if (this.#tls !== undefined) native.tls = this.#tls
    // What the certificate is for, and what proxies choose by, is the name.
    if (this.#address.kind === 'tcp') native.authority ??= this.address
    const program = home.load(this.#service.program)
    const owner = home.reserve()
    try {
      home.core.connect(owner, program, native)
    } catch (cause) {
      home.release(owner)
      throw new VoloError('FAILED_PRECONDITION', (cause as Error).message, { cause })
    }
    let resolveClosed!: () => void
    const closed = new Promise<void>((resolve) => (resolveClosed = resolve))
    const state = ClientConnection.#teller(new WeakRef(this))
    home.own(owner, { serving: undefined, closed: resolveClosed, event: reportEvent, state }, 1)
    if (this.#remains === undefined) closeWhenDropped(this, (this.#remains = { core: home.core, owner }))
    else this.#remains.owner = owner
    return {
      owner,
      address: this.address,
      poolSize: this.#options.mode === 'pipelined' ? Infinity : (this.#options.pool.size ?? defaultPoolSize),
      isHeaded: hasHeaders(this.#options.transport),
      closed,
      unreachable: () => {
        this.#failedAt ??= performance.now()
      },
    }
  }
}

function checkedTls(options: ClientTlsOptions, address: ParsedAddress): NativeClientTls {
  const tls = nativeClientTls(options, address)
  checkClientTls(addon(), tls)
  return tls
}
