import type { CallCredentials } from '../grpc/call-credentials.js'
import type { Compression } from '../grpc/grpc-options.js'
import type { Address } from './address.js'
import { CallContext } from './call-context.js'
import type { CallScope } from './context.js'
import { milliseconds, type Duration } from './duration.js'
import type { Metadata } from './metadata.js'
import type { Metainfo } from '../thrift/metainfo.js'
import { Scope } from './scope.js'
import type { Answer } from './service.js'
import { within } from './within.js'

/** Options of one call. */
export interface CallOptions {
  /** Time for the whole call, retries included. Default: none. */
  readonly timeout?: Duration | undefined
  /** Gives the call up; it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /**
   * The call, or group of calls, that this one is made for: its deadline holds here too, and its end is the end of this one. Inside of
   * a handler pass its `cx`. It is explicit because following it through awaits would cost every promise of the program.
   */
  readonly parent?: CallScope | undefined
}

/** Options of one Thrift call. */
export interface ThriftCallOptions extends CallOptions {
  /** What the request carries beside metainfo, over TTHeader or THeader. Names are in lower case on the wire. */
  readonly metadata?: Metadata | Readonly<Record<string, string | readonly string[]>> | undefined
  /** Values that travel along; what came back is in it once the call is over. A call without one has those its `parent` hands on. */
  readonly metainfo?: Metainfo | undefined
  /** Where this call goes instead of where the client connects; connections to the last few such addresses are kept. */
  readonly address?: Address | undefined
}

/** Options of one gRPC call. */
export interface GrpcCallOptions extends CallOptions {
  /** What the request carries. */
  readonly metadata?: Metadata | Readonly<Record<string, string | readonly string[]>> | undefined
  /**
   * Called with the answer's initial metadata: as soon as they are there if the response streams, otherwise with the response, for there is nothing to
   * be done between the two.
   */
  readonly onHeader?: ((headers: Metadata) => void) | undefined
  /** Called with the answer's trailing metadata, whether the call succeeds or not. */
  readonly onTrailer?: ((trailers: Metadata) => void) | undefined
  /** Waits for a connection, as long as the timeout allows, instead of failing when none can be made. Default false. */
  readonly waitForReady?: boolean | undefined
  /** How its requests are compressed; false is not at all. Default: as the client's option `compression` says. */
  readonly compression?: Compression | false | undefined
  /** Who calls, beside what the client's option `credentials` says. Refused where the client has no TLS. */
  readonly credentials?: CallCredentials | undefined
}

/** Options of one call, by protocol. */
export interface CallOptionsOf {
  readonly thrift: ThriftCallOptions
  readonly grpc: GrpcCallOptions
}

/** Makes a call inside of what its options allow. */
export function callWithin(
  cx: CallContext,
  options: CallOptions,
  call: (cx: CallContext, request: unknown) => Answer<unknown>,
  request: unknown,
): Answer<unknown> {
  const now = cx.origin.clock.now()
  const scope = scopeOf(options, now)
  if (scope === undefined) return call(cx, request)
  cx.scope = scope
  return within(cx, scope, (scope.deadline ?? Infinity) - now, call, cx, request)
}

/**
 * What the options of a call bound it by; undefined if they do not.
 * @param now when it is made, in milliseconds since the epoch.
 */
export function scopeOf(options: CallOptions, now: number): Scope | undefined {
  const { timeout, signal, parent } = options
  if (timeout === undefined && signal === undefined && parent === undefined) return undefined
  const due = timeout === undefined ? undefined : now + milliseconds(timeout, 'timeout')
  const outer = parent instanceof CallContext ? parent.openScope() : parent instanceof Scope ? parent : undefined
  const scope =
    parent !== undefined && outer === undefined
      ? new Scope(undefined, earlier(due, parent.deadline))
      : new Scope(outer, due)
  // A scope of another copy of the package, or of the user's own.
  if (parent !== undefined && outer === undefined) scope.follow(parent.signal)
  if (signal !== undefined) scope.follow(signal)
  return scope
}

function earlier(one: number | undefined, other: number | undefined): number | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return Math.min(one, other)
}
