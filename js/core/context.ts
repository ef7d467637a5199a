import type { Compression } from '../grpc/grpc-options.js'
import type { ContextKey } from './context-key.js'
import type { Protocol } from './descriptor.js'
import type { Endpoint, Peer } from './endpoint.js'
import type { Metadata } from './metadata.js'
import type { MethodInfo } from './method-info.js'
import type { Metainfo } from '../thrift/metainfo.js'

/** What bounds a piece of work: until when, and a signal that says that nobody wants it any more. */
export interface CallScope {
  /** Milliseconds since the epoch; none if no timeout is set anywhere. */
  readonly deadline?: number | undefined
  /** Aborted with the reason when the work is not wanted any more. Made when first read. */
  readonly signal: AbortSignal
}

/** What a call carries beside its request. One a call, made for it, given to every layer and to the handler. */
export interface Context extends CallScope {
  readonly side: 'client' | 'server'
  readonly method: MethodInfo
  /** Who calls. */
  readonly caller: Endpoint
  /** Who is called. */
  readonly callee: Endpoint
  /** The other end of the connection; on a client the address it calls. */
  readonly peer: Peer
  /**
   * When the call must be over, in milliseconds since the epoch: the earliest of the caller's deadline and the timeouts on the way.
   * Hand it on with `{ parent: cx }` to the calls a handler makes.
   */
  readonly deadline: number | undefined
  /** Aborted when the deadline has passed, when the caller is gone, or when the caller's own signal is aborted. */
  readonly signal: AbortSignal
  /** What the request carried. */
  readonly metadata: Metadata
  /** What goes, or came, with the answer. */
  readonly response: ResponseMetadata

  /**
   * The value of a key.
   * @throws VoloError FAILED_PRECONDITION if nothing was set and the key has no default.
   */
  get<T>(key: ContextKey<T>): T
  /** Gives a key a value, for layers and handlers further in, and for the way back. */
  set<T>(key: ContextKey<T>, value: T): void
  /** True if the key was given a value. */
  has(key: ContextKey<unknown>): boolean

  /**
   * Runs calls side by side, like `Promise.all`; the first failure aborts the others.
   *
   * @example
   * const [user, products] = await cx.all((group) => [
   *   users.getUser({ id }, { parent: group }),
   *   query('select …', { signal: group.signal }),
   * ])
   */
  all<T extends readonly unknown[] | []>(
    start: (group: CallScope) => T,
  ): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }>
}

/** Metadata of an answer. */
export interface ResponseMetadata {
  readonly headers: Metadata
  readonly trailers: Metadata
}

/** The context of a Thrift call. */
export interface ThriftContext extends Context {
  readonly protocol: 'thrift'
  /**
   * Values that travel with the call over TTHeader. On a server what came, and what goes back (`backward`); on a client what goes, and what came
   * back. Other transports have no place for it: there it is empty, and what is set goes nowhere.
   */
  readonly metainfo: Metainfo
}

/** The context of a gRPC call. */
export interface GrpcContext extends Context {
  readonly protocol: 'grpc'
  /**
   * On a server: sends `response.headers` now, instead of with the first message or the end. Later calls change nothing, and neither do later
   * changes of the headers.
   */
  sendHeaders(): void
  /**
   * How this side compresses its messages of this call, instead of what the option `compression` says. What is said when its first message, or its headers,
   * are sent names the encoding; a server uses it only if the caller can read it. Afterwards `false` leaves messages as they are until it is called again.
   */
  compress(how: Compression | false): void
  /** Shows a layer every message that this side sends, before it is sent; synchronously, so it costs no promise. */
  onSend(tap: (message: unknown) => void): void
  /** Shows a layer every message that this side receives, before anybody else sees it. */
  onReceive(tap: (message: unknown) => void): void
}

/** Contexts by protocol. */
interface Contexts {
  readonly thrift: ThriftContext
  readonly grpc: GrpcContext
}

/** The context of a protocol's calls. */
export type ContextOf<P extends Protocol> = Contexts[P]
