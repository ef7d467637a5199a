/** Clients of a server's own, which it passes calls on to. */
import { addon, type NativeClientOptions, type NativeRoute, type NativeUpstream } from './addon.js'
import { formatAddress, isResolved, nativeAddress, resolveAddress, type ParsedAddress } from './address.js'
import { nativeClientOptions, type ConnectionOptions } from './client-options.js'
import type { ServiceDescriptor } from './descriptor.js'
import { VoloError } from './errors.js'
import type { Isolate } from './isolate.js'
import { reportEvent } from './report.js'
import type { ChosenRuntime } from './runtime.js'
import type { PassedMethods } from './served.js'
import { noClientStats, type ClientStats } from './stats.js'
import { checkClientTls, nativeClientTls, tlsError, type ClientTlsOptions } from './tls-options.js'
import { isAnyService } from '../thrift/proxy.js'

/** What a client that is not built says of its connections. */
export interface UpstreamDescription {
  readonly callee: string
  readonly service: ServiceDescriptor
  readonly address: ParsedAddress
  readonly options: ConnectionOptions
}

/** A client that is not built yet, as `Client.of` begins it. */
export interface UpstreamBuilder {
  /** @internal */
  asUpstream(): UpstreamDescription
}

/** A server that calls are passed on to. */
export interface UpstreamStats {
  /** As `Client.of` was told. */
  readonly callee: string
  /** As it was given; names are not replaced by what they stand for. */
  readonly address: string
  /** Of the connections on all threads. */
  readonly stats: ClientStats
}

/** One of them. */
class Upstream {
  readonly #home: Isolate
  readonly #description: UpstreamDescription
  readonly #native: NativeClientOptions
  readonly id: number
  #resolved: ParsedAddress
  #isClosed = false
  #isResolving = false
  #last = noClientStats

  constructor(home: Isolate, id: number, description: UpstreamDescription, resolved: ParsedAddress) {
    const { callee, service, address, options } = description
    this.#home = home
    this.#description = description
    this.#resolved = resolved
    this.id = id
    const native: NativeClientOptions = { ...nativeClientOptions(options), ...nativeAddress(resolved), callee }
    if (!isAnyService(service)) {
      native.service = service.name
      if (options.multiplexedService) native.methodPrefix = `${service.name}:`
    }
    if (options.tls !== undefined && address.kind !== 'memory') {
      native.tls = nativeClientTls(options.tls, address)
      checkClientTls(addon(), native.tls)
    }
    this.#native = native
  }

  get native(): NativeUpstream {
    return { id: this.id, client: this.#native, tellsUnreachable: !isResolved(this.#description.address) }
  }

  own(threads: number): void {
    const closed = (): void => {
      this.#last = this.#counters()
      this.#isClosed = true
    }
    // Its one state is that it cannot be reached.
    const state = (): void => void this.#lookUpAgain()
    this.#home.own(this.id, { serving: undefined, closed, event: reportEvent, state }, Math.max(1, threads))
  }

  /** The name may stand for another address now. */
  async #lookUpAgain(): Promise<void> {
    if (this.#isResolving) return
    this.#isResolving = true
    try {
      const resolved = await resolveAddress(this.#description.address)
      if (this.#isClosed || resolved.kind !== 'tcp' || formatAddress(resolved) === formatAddress(this.#resolved)) return
      this.#resolved = resolved
      this.#home.core.readdress(this.id, resolved.host, resolved.port)
    } catch (error) {
      reportEvent(1, `the upstream '${this.#description.callee}' cannot be reached`, error)
    } finally {
      this.#isResolving = false
    }
  }

  reloadTls(options: ClientTlsOptions): void {
    const { callee, address } = this.#description
    if (this.#native.tls === undefined) {
      throw new VoloError(
        'FAILED_PRECONDITION',
        `the upstream '${callee}' has no TLS; call tls(options) on it before the server begins`,
      )
    }
    try {
      this.#home.core.reloadClientTls(this.id, nativeClientTls(options, address))
    } catch (cause) {
      throw tlsError(cause)
    }
  }

  #counters(): ClientStats {
    const { state: _, ...now } = JSON.parse(this.#home.core.clientStats(this.id)) as Partial<ClientStats> & {
      state?: number
    }
    return { ...noClientStats, ...now }
  }

  stats(): UpstreamStats {
    const { callee, address } = this.#description
    return { callee, address: formatAddress(address), stats: this.#isClosed ? this.#last : this.#counters() }
  }
}

/** All upstreams of a server. */
export class Upstreams {
  readonly #home: Isolate
  readonly #builders: readonly UpstreamBuilder[]
  readonly #all: readonly Upstream[]
  readonly routes: readonly NativeRoute[]

  private constructor(
    home: Isolate,
    builders: readonly UpstreamBuilder[],
    all: readonly Upstream[],
    routes: readonly NativeRoute[],
  ) {
    this.#home = home
    this.#builders = builders
    this.#all = all
    this.routes = routes
  }

  /**
   * Those that methods are passed on to. Names are looked up.
   * @throws VoloError INVALID_ARGUMENT for an upstream that threads of the server cannot reach, UNAVAILABLE for a name without address.
   */
  static async of(passed: readonly PassedMethods[], home: Isolate, { runtime }: ChosenRuntime): Promise<Upstreams> {
    const builders = [...new Set(passed.map(({ passage }) => passage.upstream))]
    const described = builders.map((builder) => builder.asUpstream())
    const wrong = described.find(({ address }) => address.kind === 'memory' && runtime !== 'inline')
    if (wrong !== undefined) {
      throw new VoloError(
        'INVALID_ARGUMENT',
        `the upstream '${wrong.callee}' is inside this isolate, where the I/O threads of the runtime '${runtime}' do not reach; let the server be 'inline'`,
      )
    }
    const resolved = await Promise.all(described.map(({ address }) => resolveAddress(address)))
    const ids = described.map(() => home.reserve())
    let all: Upstream[]
    try {
      all = described.map((description, n) => new Upstream(home, ids[n], description, resolved[n]))
    } catch (error) {
      for (const id of ids) home.release(id)
      throw error
    }
    const routes = passed.map(({ passage, service, methods }) => {
      const route: NativeRoute = {
        upstream: all[builders.indexOf(passage.upstream)].id,
        methods: methods.map((method) => ({ service, method })),
        unknown: passage.isRest,
      }
      if (passage.timeout !== undefined) route.timeout = passage.timeout
      return route
    })
    return new Upstreams(home, builders, all, routes)
  }

  get native(): NativeUpstream[] {
    return this.#all.map((upstream) => upstream.native)
  }

  /** The core has made them. */
  own(threads: number): void {
    for (const upstream of this.#all) upstream.own(threads)
  }

  /** The core has not made them. */
  release(): void {
    for (const { id } of this.#all) this.#home.release(id)
  }

  /** @throws VoloError INVALID_ARGUMENT for one that is not among them. */
  reloadTls(builder: UpstreamBuilder, options: ClientTlsOptions): void {
    const index = this.#builders.indexOf(builder)
    if (index < 0) {
      throw new VoloError(
        'INVALID_ARGUMENT',
        'the server passes nothing on to this client; give what proxy() was given',
      )
    }
    this.#all[index].reloadTls(options)
  }

  stats(): readonly UpstreamStats[] {
    return this.#all.map((upstream) => upstream.stats())
  }
}
