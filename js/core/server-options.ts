import type { NativeListenOptions } from './addon.js'
import type { Clock } from './clock.js'
import type { Context } from './context.js'
import { nativeGrpcOptions, type Compression, type KeepaliveOptions } from '../grpc/grpc-options.js'
import { milliseconds, type Duration } from './duration.js'
import { bytes, type Size } from './size.js'

/** Options of a server; every one has a default. */
export interface ServerOptions {
  /** Connections the system keeps waiting until they are accepted. Default 1024. */
  readonly backlog?: number
  /** Lets several processes or isolates listen on one port; the kernel spreads connections. Default false. */
  readonly reusePort?: boolean
  /**
   * Hot restart: the path of a Unix socket where a new process of this program takes over from the one that runs. The new one gets the
   * listening socket, then every connection as it comes to rest, so that no call is lost; the old one's `run` resolves. The path is made
   * with mode 0600. Default: no hand-over. See docs/restart.md.
   */
  readonly handover?: string | HandoverOptions
  /** Sends small answers at once instead of gathering them (TCP_NODELAY). Default true. */
  readonly noDelay?: boolean
  /** Probes a connection after this time without traffic (TCP keepalive); 0 switches it off. Default `'60s'`. */
  readonly keepAlive?: Duration
  /** Largest request. A larger one ends its connection. Default `'16MiB'`. */
  readonly maxFrameSize?: Size
  /** Most values in one request, structs of absent fields included. Default 4 Mi, at most 256 Mi. */
  readonly maxSlots?: number
  /** Deepest nesting of a request. Default 64, in gRPC 100. */
  readonly maxDepth?: number
  /** A string that is not valid UTF-8 is an error of its request. Default false: U+FFFD stands for what is not valid. */
  readonly strictUtf8?: boolean
  /** Calls in flight on one connection, beyond which it is not read until some are answered. Default 1024. */
  readonly maxInFlight?: number
  /** Answers of one connection that its peer has not taken, beyond which it is not read. Default `'1MiB'`. */
  readonly maxUnwritten?: Size
  /** Connections beyond which new ones are closed at once. Default 65536. */
  readonly maxConnections?: number
  /** Connections of one IP address beyond which its new ones are closed at once. Default unlimited. */
  readonly maxConnectionsPerPeer?: number
  /**
   * Calls that handlers have and have not answered, of all connections, beyond which further ones are refused with a
   * ThriftApplicationError (RESOURCE_EXHAUSTED). I/O threads share it evenly. Default 65536.
   */
  readonly maxCalls?: number
  /**
   * Memory that requests which are still arriving and answers that peers do not take may have, of all connections of the process
   * together. A request that would exceed it ends its connection; calls that come meanwhile are refused. Default `'1GiB'`.
   */
  readonly memoryBudget?: Size
  /**
   * Answers over TTHeader and THeader go out as soon as they are there, instead of in the order of the requests; the peer tells them apart by
   * sequence ids. Multiplexed clients of Kitex and volo-js say that they expect it and always get it; those of Volo do not say so. Default
   * false: others are answered in order.
   */
  readonly multiplex?: boolean
  /** Time in which a request that has begun to arrive must be complete. Default `'30s'`. */
  readonly frameTimeout?: Duration
  /**
   * A connection without a call and without bytes is closed after this time; 0 for never. Of gRPC it is told to go (GOAWAY), so that no
   * call is lost. Default 0: pools keep theirs for long.
   */
  readonly idleTimeout?: Duration
  /** A connection whose peer has taken nothing of its answers for this time is closed. Default `'60s'`. */
  readonly writeTimeout?: Duration
  /** gRPC: largest message of a request, before and after decompression. A larger one ends its call with RESOURCE_EXHAUSTED. Default `'4MiB'`. */
  readonly maxReceiveMessage?: Size
  /** gRPC: how messages are compressed, where the peer can read it. Default: not at all. */
  readonly compression?: Compression
  /** gRPC: calls that a peer may have open on one connection. Default 1000. */
  readonly maxConcurrentStreams?: number
  /** gRPC: all metadata of one request, as HTTP/2 counts them (RFC 9113, 6.5.2). Default `'16KiB'`. */
  readonly maxHeaderListSize?: Size
  /** gRPC: what a peer may send of one call before it is read. Default `'256KiB'`. */
  readonly streamWindow?: Size
  /** gRPC: what a peer may send on one connection before it is read. Default `'8MiB'`. */
  readonly connectionWindow?: Size
  /** gRPC: PINGs of this server to clients that are silent. Default: after two hours, with 20 s to answer. */
  readonly keepalive?: KeepaliveOptions
  /**
   * gRPC: a client may send PINGs so often while nothing is sent to it. The third that comes sooner ends its connection with
   * `too_many_pings`, as in grpc-go; 0 allows any. Default `'5m'`.
   */
  readonly minPingInterval?: Duration
  /** gRPC: a client without a call may send PINGs as often as one with calls; otherwise every two hours. Default false. */
  readonly pingsWithoutCalls?: boolean
  /** gRPC: a connection that is this old, a tenth more or less, is told to go, so that clients spread anew; 0 for never. Default 0. */
  readonly maxConnectionAge?: Duration
  /** gRPC: how long calls on a connection that was told to go may go on. Default `'30s'`. */
  readonly maxConnectionAgeGrace?: Duration
  /** gRPC: calls that a client may reset in a second, where that is half of those it opens. Beyond it its connection ends. Default 500. */
  readonly maxResets?: number
  /** gRPC: SETTINGS of a client in a second, and PINGs while nothing is sent to it. Beyond it its connection ends. Default 100. */
  readonly maxControlFrames?: number
  /**
   * gRPC: answers `grpc.health.v1.Health`; see {@link ServerHandle.health}. A service of that name that was added comes before it.
   * Default true.
   */
  readonly health?: boolean
  /**
   * gRPC: tells everybody who asks what services there are and what their messages look like, by `grpc.reflection.v1.ServerReflection` and
   * `v1alpha`, for tools such as grpcurl. Default false.
   */
  readonly reflection?: boolean
  /**
   * Told of every error of a handler or layer that is not an answer, and of answers that the IDL does not allow. The caller sees
   * only that there was an internal error. Default: the error with its stack on standard error.
   */
  readonly onError?: (error: unknown, cx: Context) => void
  /** Told what an operator may want to know: refused connections, broken frames. Default: a line on standard error. */
  readonly onEvent?: (event: ServerEvent) => void
  /** Where times come from. Default: the machine's clock; tests give a fake one. */
  readonly clock?: Clock
}

/** How a server is handed over to the next process. */
export interface HandoverOptions {
  /** The Unix socket where the processes meet. */
  readonly path: string
  /** How long this process's connections may take to come to rest; then they are closed. Default `'30s'`. */
  readonly grace?: Duration
}

/** Something that happened on a server beside its calls. */
export interface ServerEvent {
  readonly level: 'warn' | 'error'
  readonly text: string
}

/**
 * The hand-over in milliseconds, with its defaults.
 * @throws VoloError INVALID_ARGUMENT for a grace time that is no duration.
 */
export function handoverOf(
  handover: string | HandoverOptions | undefined,
): { readonly path: string; readonly grace: number } | undefined {
  if (handover === undefined) return undefined
  const { path, grace = '30s' } = typeof handover === 'string' ? { path: handover } : handover
  return { path, grace: milliseconds(grace, 'handover.grace') }
}

/**
 * The options in the core's units.
 * @throws VoloError INVALID_ARGUMENT for a duration or size that is none.
 */
export function nativeListenOptions(options: ServerOptions): NativeListenOptions {
  const native: NativeListenOptions = {}
  if (options.backlog !== undefined) native.backlog = options.backlog
  if (options.reusePort !== undefined) native.reusePort = options.reusePort
  if (options.noDelay !== undefined) native.noDelay = options.noDelay
  if (options.keepAlive !== undefined) native.keepAlive = milliseconds(options.keepAlive, 'keepAlive')
  if (options.maxFrameSize !== undefined) native.maxFrameSize = bytes(options.maxFrameSize, 'maxFrameSize')
  if (options.maxSlots !== undefined) native.maxSlots = options.maxSlots
  if (options.maxDepth !== undefined) native.maxDepth = options.maxDepth
  if (options.strictUtf8 !== undefined) native.strictUtf8 = options.strictUtf8
  if (options.maxInFlight !== undefined) native.maxInFlight = options.maxInFlight
  if (options.maxUnwritten !== undefined) native.maxUnwritten = bytes(options.maxUnwritten, 'maxUnwritten')
  if (options.maxConnections !== undefined) native.maxConnections = options.maxConnections
  if (options.maxConnectionsPerPeer !== undefined) native.maxConnectionsPerPeer = options.maxConnectionsPerPeer
  if (options.memoryBudget !== undefined) native.memoryBudget = bytes(options.memoryBudget, 'memoryBudget')
  if (options.maxCalls !== undefined) native.maxCalls = options.maxCalls
  if (options.idleTimeout !== undefined) native.idleTimeout = milliseconds(options.idleTimeout, 'idleTimeout')
  if (options.writeTimeout !== undefined) native.writeTimeout = milliseconds(options.writeTimeout, 'writeTimeout')
  if (options.frameTimeout !== undefined) native.frameTimeout = milliseconds(options.frameTimeout, 'frameTimeout')
  if (options.multiplex !== undefined) native.multiplex = options.multiplex
  if (options.health !== undefined) native.health = options.health
  if (options.reflection !== undefined) native.reflection = options.reflection
  const { keepalive } = options
  // A server asks clients without calls, too: it is for these that it would wait for ever.
  const grpc = keepalive === undefined ? options : { ...options, keepalive: { ...keepalive, withoutCalls: true } }
  return { ...native, grpc: nativeGrpcOptions(grpc) }
}
