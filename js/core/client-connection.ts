import { addon, type NativeClientOptions, type NativeClientTls } from './addon.js'
import { formatAddress, isResolved, nativeAddress, resolveAddress, type ParsedAddress } from './address.js'
import type { CallContext } from './call-context.js'
import { clientClosed, type Caller } from './client-calls.js'
import { defaultPoolSize, nativeClientOptions, type ConnectionOptions } from './client-options.js'
import type { GrpcMethodDescriptor, MethodDescriptor, Program, Protocol } from './descriptor.js'
import { closeWhenDropped, type Remains } from './dropped-clients.js'
import { VoloError } from './errors.js'
import { isolate } from './isolate.js'
import { reportEvent } from './report.js'
import type { Answer, Service } from './service.js'
import { checkClientTls, nativeClientTls, type ClientTlsOptions } from './tls-options.js'
import { noClientStats, type ClientStats } from './stats.js'

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
  readonly #protocol: Protocol
  readonly #program: Program
  readonly #address: ParsedAddress
  readonly #options: ConnectionOptions
  #link: Link | undefined
  #linking: Promise<Link> | undefined
  /** Where {@link #link} connects. */
  #linkedTo = ''
  /** When the address failed, in ms of the process clock; undefined if it did not. */
  #failedAt: number | undefined
  #closed: Promise<void> | undefined
  #tls: NativeClientTls | undefined
  /** What is left in the core if this is dropped without being closed. */
  #remains: Remains | undefined

  constructor(
    callee: string,
    protocol: Protocol,
    program: Program,
    address: ParsedAddress,
    options: ConnectionOptions,
  ) {
    this.#callee = callee
    this.#protocol = protocol
    this.#program = program
    this.#address = address
    this.#options = options
    // Wrong options are found where the client is built.
    nativeClientOptions(options)
    if (options.tls !== undefined) this.#tls = checkedTls(options.tls, address)
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
    if (this.#link !== undefined && this.#failedAt === undefined) return this.#start(this.#link, cx, request)
    if (isResolved(this.#address)) {
      this.#failedAt = undefined
      this.#link ??= this.#connect(this.#address)
      return this.#start(this.#link, cx, request)
    }
    return this.#resolved().then((link) => {
      if (this.#closed !== undefined) throw clientClosed(this.#callee)
      return this.#start(link, cx, request)
    })
  }

  #start(link: Link, cx: CallContext, request: unknown): Answer<unknown> {
    const method = cx.target as MethodDescriptor
    return this.#protocol === 'grpc'
      ? isolate().grpcCalls.start(link, method as GrpcMethodDescriptor, cx, request)
      : isolate().calls.start(link, method, cx, request)
  }

  /** Counters of the connections to the address that is called now. */
  stats(): ClientStats {
    const now = this.#link === undefined ? {} : (JSON.parse(isolate().core.clientStats(this.#link.owner)) as object)
    return { ...noClientStats, ...now }
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
    if (this.#link !== undefined) await this.#unlink(this.#link, grace)
  }

  #unlink(link: Link, grace: number): Promise<void> {
    const { core } = isolate()
    if (this.#remains?.owner === link.owner) this.#remains.owner = undefined
    core.closeClient(link.owner, grace)
    // The end is told by the core, so the loop must live until then.
    core.ref()
    return link.closed
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
    this.#link = this.#connect(resolved)
    this.#linkedTo = formatAddress(resolved)
    if (old !== undefined) {
      this.#unlink(old, 60_000).catch((error: unknown) => reportEvent(1, 'a connection could not be closed', error))
    }
    return this.#link
  }

  #connect(address: ParsedAddress): Link {
    const home = isolate()
    const native: NativeClientOptions = { ...nativeClientOptions(this.#options), ...nativeAddress(address) }
    if (this.#tls !== undefined) {
      native.tls = this.#tls
      // What the certificate is for is what the server answers for.
      if (this.#address.kind === 'tcp') native.authority ??= this.address
    }
    const program = home.load(this.#program)
    const owner = home.reserve()
    try {
      home.core.connect(owner, program, native)
    } catch (cause) {
      home.release(owner)
      throw new VoloError('FAILED_PRECONDITION', (cause as Error).message, { cause })
    }
    let resolveClosed!: () => void
    const closed = new Promise<void>((resolve) => (resolveClosed = resolve))
    home.own(owner, { serving: undefined, closed: resolveClosed, event: reportEvent }, 1)
    if (this.#remains === undefined) closeWhenDropped(this, (this.#remains = { core: home.core, owner }))
    else this.#remains.owner = owner
    return {
      owner,
      address: this.address,
      poolSize: this.#options.mode === 'pipelined' ? Infinity : (this.#options.pool.size ?? defaultPoolSize),
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
