import type { Stage } from './compose.js'
import type { NativeListening } from './addon.js'
import { milliseconds, type Duration } from './duration.js'
import type { Isolate } from './isolate.js'
import type { Owner } from './owner.js'
import type { Custody } from './keeper.js'
import { reportEvent } from './report.js'
import type { RuntimeInfo, RuntimeKind } from './runtime.js'
import { ServerHealth } from './server-health.js'
import type { ServerEvent } from './server-options.js'
import { nativeServerTls, tlsError, type ClientTlsOptions, type ServerTlsOptions } from './tls-options.js'
import type { UpstreamBuilder, Upstreams, UpstreamStats } from './upstream.js'
import { noServerStats, type PoolStats, type ServerStats } from './stats.js'

/** Options of {@link ServerHandle.close}. */
export interface CloseOptions {
  /** How long calls in flight may go on; then they are given up. Default `'5s'`. */
  readonly grace?: Duration
}

/** A server that listens. */
export class ServerHandle implements AsyncDisposable {
  /** The address it is bound to, with the real port: `127.0.0.1:8080`, `unix:/path`, `memory:name`. */
  readonly address: string
  readonly runtime: RuntimeInfo
  /** Resolves when the server has closed, whoever closed it. */
  readonly closed: Promise<void>
  /** gRPC: what health checks are told. */
  readonly health: ServerHealth
  readonly #isolate: Isolate
  readonly #id: number
  readonly #stages: readonly Stage[]
  readonly #upstreams: Upstreams
  #lastStats = noServerStats
  #state: 'listening' | 'closing' | 'closed' = 'listening'
  #custody: Custody | undefined
  #give: ((socket: number, unread: Uint8Array) => void) | undefined

  /** @internal */
  constructor(
    isolate: Isolate,
    id: number,
    runtime: RuntimeKind,
    listening: NativeListening,
    calls: Pick<Owner, 'serving' | 'grpc'>,
    stages: readonly Stage[],
    onEvent: (event: ServerEvent) => void,
    answersHealth: boolean,
    upstreams: Upstreams,
  ) {
    this.#isolate = isolate
    this.#upstreams = upstreams
    this.#id = id
    this.#stages = stages
    this.address = listening.address
    const { driver, threads } = listening
    this.runtime = { kind: threads === 0 ? 'inline' : runtime, driver, threads }
    const setHealth = (service: string, serving: boolean): void => {
      if (this.#state !== 'closed') isolate.core.setHealth(id, service, serving)
    }
    this.health = new ServerHealth(answersHealth ? setHealth : undefined)
    let resolveClosed!: () => void
    this.closed = new Promise((resolve) => (resolveClosed = resolve))
    const owner: Owner = {
      ...calls,
      closed: () => {
        this.stats()
        this.#state = 'closed'
        void Promise.resolve(this.#custody?.closed()).then(resolveClosed)
      },
      handed: (socket, unread) => {
        this.#give?.(socket, unread)
      },
      event: (level, text) => {
        try {
          onEvent({ level: level >= 2 ? 'error' : 'warn', text })
        } catch (error) {
          reportEvent(2, `onEvent itself failed on: ${text}`, error)
        }
      },
    }
    isolate.own(id, owner, Math.max(1, threads))
    upstreams.own(threads)
  }

  /** Counters at this moment; after the end those of its last one. */
  stats(): ServerStats {
    if (this.#state !== 'closed') {
      const { core } = this.#isolate
      const server = JSON.parse(core.serverStats(this.#id)) as Omit<ServerStats, 'pools'>
      this.#lastStats = { ...server, pools: JSON.parse(core.poolStats()) as PoolStats }
    }
    return this.#lastStats
  }

  /** Where calls are passed on to, and the counters at this moment; after the end those of its last one. */
  upstreams(): readonly UpstreamStats[] {
    return this.#upstreams.stats()
  }

  /** The layers in the order requests see them, then the handler. */
  explain(): readonly Stage[] {
    return this.#stages
  }

  /**
   * Stops accepting, lets calls in flight finish, closes. Connections are closed as soon as they have no call.
   * Further calls of it shorten the grace time or change nothing.
   */
  close(options: CloseOptions = {}): Promise<void> {
    const grace = milliseconds(options.grace ?? '5s', 'grace')
    if (this.#state !== 'closed') {
      if (this.#state === 'listening') this.#custody?.closing()
      this.#state = 'closing'
      this.#isolate.core.closeServer(this.#id, grace)
    }
    return this.closed
  }

  /**
   * Connections that come from now on get these certificates; those that are open go on as they began.
   * @throws VoloError INVALID_ARGUMENT if they cannot be used, and all is as before; FAILED_PRECONDITION if the server has no TLS, or has closed.
   */
  reloadTls(options: ServerTlsOptions): void {
    try {
      this.#isolate.core.reloadServerTls(this.#id, nativeServerTls(options))
    } catch (cause) {
      throw tlsError(cause)
    }
  }

  /**
   * The same for connections to a server that calls are passed on to.
   * @param upstream The client that `proxy` was given.
   * @throws VoloError INVALID_ARGUMENT if they cannot be used, and all is as before, and for a client that nothing is passed on to;
   *   FAILED_PRECONDITION if it began without TLS, or the server has closed.
   */
  reloadUpstreamTls(upstream: UpstreamBuilder, options: ClientTlsOptions): void {
    this.#upstreams.reloadTls(upstream, options)
  }

  /** @internal Somebody else owns its socket. */
  keptBy(custody: Custody): void {
    this.#custody = custody
  }

  /** @internal */
  handOver(grace: number, give: (socket: number, unread: Uint8Array) => void): Promise<void> {
    if (this.#state === 'listening') {
      this.#state = 'closing'
      this.#give = give
      this.#isolate.core.handOver(this.#id, grace)
    }
    return this.closed
  }

  /** @internal */
  adopt(socket: number, unread: Uint8Array): boolean {
    if (this.#state !== 'listening') return false
    this.#isolate.core.adopt(this.#id, socket, unread)
    return true
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
