import type { Clock } from './clock.js'
import type { ContextKey } from './context-key.js'
import type { CallScope, Context, ResponseMetadata } from './context.js'
import type { Endpoint, Peer } from './endpoint.js'
import { VoloError } from './errors.js'
import { Metadata } from './metadata.js'
import type { MethodInfo } from './method-info.js'
import type { PeerTls } from './peer-tls.js'
import { Scope } from './scope.js'

/** What all calls of one server, or of one client, have in common. */
export interface CallOrigin {
  readonly side: 'client' | 'server'
  readonly caller: Endpoint
  readonly callee: Endpoint
  readonly clock: Clock
  /** Address of the other end of one call; empty if its connection is gone. */
  peerOf(cx: CallContext): string
  /** What TLS has agreed on with it. */
  peerTlsOf(cx: CallContext): PeerTls | undefined
}

const neverSet = Symbol('never set')

/**
 * The context of one call. Its private fields are TypeScript's, for `#` ones are initialised in a pass of their own. It is made for every call, so it has few fields, all set at once, and makes the rest when asked.
 * Layers and handlers see it as {@link ThriftContext}, or in gRPC as GrpcContext.
 */
export class CallContext implements Context {
  readonly origin: CallOrigin
  readonly method: MethodInfo
  /** What the innermost service calls: a served method, or a client's. */
  readonly target: object
  /** Names the call on the tape; -1 on a client, where every attempt has its own. */
  readonly slot: number
  readonly generation: number
  /** The connection it came by: which of the connections now, and which of those that had this number. 0 on a client. */
  readonly connection: number
  readonly serial: number
  /** What bounds the call from here on inward; undefined until something needs it. */
  scope: Scope | undefined
  /** Why nobody waits for the answer any more; undefined while somebody does. */
  gone: unknown
  /** The context that this one was forked from, where all share what layers leave for each other; itself if it was not. */
  protected readonly root: CallContext
  /** Values of keys: key, value, key, value. There are few, so a list beats a map. */
  private values: unknown[] | undefined
  protected ownMetadata: Metadata | undefined
  protected ownResponse: ResponseMetadata | undefined

  constructor(
    origin: CallOrigin,
    method: MethodInfo,
    target: object,
    slot: number,
    generation: number,
    connection: number,
    serial: number,
    root?: CallContext,
  ) {
    this.origin = origin
    this.method = method
    this.target = target
    this.slot = slot
    this.generation = generation
    this.connection = connection
    this.serial = serial
    this.scope = undefined
    this.gone = undefined
    this.root = root ?? this
    this.values = undefined
    this.ownMetadata = undefined
    this.ownResponse = undefined
  }

  get protocol(): 'thrift' | 'grpc' {
    return 'thrift'
  }

  get side(): 'client' | 'server' {
    return this.origin.side
  }

  get caller(): Endpoint {
    return this.origin.caller
  }

  get callee(): Endpoint {
    return this.origin.callee
  }

  get peer(): Peer {
    const { origin } = this
    const tls = (): PeerTls | undefined => origin.peerTlsOf(this)
    return {
      address: origin.peerOf(this),
      get tls() {
        return tls()
      },
    }
  }

  get deadline(): number | undefined {
    return this.scope?.deadline
  }

  get signal(): AbortSignal {
    return this.openScope().signal
  }

  get metadata(): Metadata {
    return (this.root.ownMetadata ??= new Metadata())
  }

  get response(): ResponseMetadata {
    return (this.root.ownResponse ??= { headers: new Metadata(), trailers: new Metadata() })
  }

  get<T>(key: ContextKey<T>): T {
    const value = this.lookUp(key)
    if (value !== neverSet) return value as T
    if (key.hasDefault) return key.default as T
    throw new VoloError(
      'FAILED_PRECONDITION',
      `the call has no value for ContextKey '${key.name}'; set it in a layer further out, or give the key a default`,
    )
  }

  set<T>(key: ContextKey<T>, value: T): void {
    const values = (this.root.values ??= [])
    for (let i = 0; i < values.length; i += 2) {
      if (values[i] === key) {
        values[i + 1] = value
        return
      }
    }
    values.push(key, value)
  }

  has(key: ContextKey<unknown>): boolean {
    return this.lookUp(key) !== neverSet
  }

  async all<T extends readonly unknown[] | []>(
    start: (group: CallScope) => T,
  ): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
    const group = new Scope(this.openScope(), undefined)
    group.madeFor = this
    try {
      return await Promise.all(start(group))
    } catch (error) {
      group.abort(new VoloError('CANCELLED', 'a call of the same group failed', { cause: error }))
      throw error
    } finally {
      group.end()
    }
  }

  /**
   * The same call inside of a scope of its own, whose parent is {@link openScope}'s. What runs inside keeps it, whatever becomes of the
   * call outside: a handler that was given up sees its signal aborted, a retry begins with a fresh one.
   */
  fork(scope: Scope): CallContext {
    const { origin, method, target, slot, generation, connection, serial, root } = this
    const fork = new CallContext(origin, method, target, slot, generation, connection, serial, root)
    fork.scope = scope
    return fork
  }

  /** What bounds the call here, made if there is nothing. */
  openScope(): Scope {
    if (this.scope === undefined) {
      this.scope = new Scope(undefined, undefined)
      if (this.gone !== undefined) this.scope.abort(this.gone)
    }
    return this.scope
  }

  /** Nobody waits for the answer any more: aborts whatever goes on. */
  abandon(reason: unknown): void {
    if (this.gone !== undefined) return
    this.gone = reason
    this.scope?.abort(reason)
  }

  private lookUp(key: ContextKey<unknown>): unknown {
    const values = this.root.values
    if (values !== undefined) {
      for (let i = 0; i < values.length; i += 2) if (values[i] === key) return values[i + 1]
    }
    return neverSet
  }
}

/**
 * The call's own context behind what a layer was given.
 * @throws VoloError INTERNAL if a layer outside put something of its own in its place.
 */
export function ownContext(cx: Context): CallContext {
  if (cx instanceof CallContext) return cx
  throw new VoloError(
    'INTERNAL',
    'a layer was given a context that volo-js did not make; layers further out must pass cx on as it is',
  )
}
