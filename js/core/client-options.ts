import type { NativeClientOptions } from './addon.js'
import type { Clock } from './clock.js'
import type { CallCredentials } from '../grpc/call-credentials.js'
import {
  nativeGrpcOptions,
  type BackoffOptions,
  type ClientKeepaliveOptions,
  type Compression,
} from '../grpc/grpc-options.js'
import { milliseconds, type Duration } from './duration.js'
import type { ChosenRuntime } from './runtime.js'
import { bytes, type Size } from './size.js'
import { VoloError } from './errors.js'
import type { ClientTlsOptions } from './tls-options.js'

/** How a client keeps connections. */
export interface PoolOptions {
  /** Thrift: most connections; further calls wait in order. Default 128. */
  readonly size?: number
  /** A connection is closed after this time without a call. Default `'60s'`. */
  readonly idleTimeout?: Duration
  /** A connection takes no new call after this time; it is closed when those it has are over. Default `'300s'`. */
  readonly maxLifetime?: Duration
}

/** Options of a client beside those the builder has methods for; every one has a default. */
export interface ClientOptions {
  /** Sends small requests at once instead of gathering them (TCP_NODELAY). Default true. */
  readonly noDelay?: boolean
  /** Probes a connection after this time without traffic (TCP keepalive); 0 switches it off. Default `'60s'`. */
  readonly keepAlive?: Duration
  /** Largest answer. A larger one ends its connection. Default `'16MiB'`. */
  readonly maxFrameSize?: Size
  /** Most values in one answer, structs of absent fields included. Default 4 Mi, at most 256 Mi. */
  readonly maxSlots?: number
  /** Deepest nesting of an answer. Default 64, in gRPC 100. */
  readonly maxDepth?: number
  /** A string that is not valid UTF-8 is an error of its answer. Default false: U+FFFD stands for what is not valid. */
  readonly strictUtf8?: boolean
  /** gRPC: largest message of an answer, before and after decompression. A larger one ends its call with RESOURCE_EXHAUSTED. Default `'4MiB'`. */
  readonly maxReceiveMessage?: Size
  /** gRPC: how requests are compressed. Default: not at all. */
  readonly compression?: Compression
  /** gRPC: what the server may send of one call before it is read. Default `'256KiB'`. */
  readonly streamWindow?: Size
  /** gRPC: what the server may send on one connection before it is read. Default `'8MiB'`. */
  readonly connectionWindow?: Size
  /** gRPC: all metadata of one answer, as HTTP/2 counts them. Default `'16KiB'`. */
  readonly maxHeaderListSize?: Size
  /** Connections that calls are spread over, in gRPC and where calls are pipelined. Default 1. */
  readonly connections?: number
  /** THeader: requests are compressed with zlib, and so are their answers. Default false. */
  readonly zlib?: boolean
  /** gRPC: name of the server in requests (`:authority`). Default: the address as it was given, `localhost` where it has no host. */
  readonly authority?: string
  /** gRPC: who calls, told with every call. A client without TLS refuses them, see {@link insecureCredentials}. */
  readonly credentials?: CallCredentials
  /** gRPC: lets credentials travel without TLS, where everybody on the way can read and use them. For tests, and for networks that encrypt. Default false. */
  readonly insecureCredentials?: boolean
  /** gRPC: PINGs to a server that is silent, so that one that is gone is noticed. Default: none, as servers may object to them. */
  readonly keepalive?: ClientKeepaliveOptions
  /** gRPC: time between attempts to connect. */
  readonly backoff?: BackoffOptions
  /** Where times come from. Default: the machine's clock; tests give a fake one. */
  readonly clock?: Clock
}

/** Everything a builder has gathered about connections. */
export interface ConnectionOptions extends ClientOptions {
  readonly mode: 'pipelined' | 'pingpong'
  readonly transport: ThriftTransport
  readonly protocol: ThriftProtocol
  /** Name of the service that calls; empty if it has none. */
  readonly caller: string
  /** Does the service's name stand in front of its methods' (`TMultiplexedProtocol`)? */
  readonly multiplexedService: boolean
  readonly pool: PoolOptions
  readonly connectTimeout: Duration | undefined
  readonly runtime: ChosenRuntime
  readonly tls: ClientTlsOptions | undefined
}

/**
 * How messages of Thrift are marked off: by a length (`framed`), not at all (`buffered`), with ByteDance's headers in front (`ttheader`, and
 * `ttheader-framed` whose message has a length of its own) or with Apache's (`header`, and `header-framed` whose frame stands in another).
 */
export type ThriftTransport = 'framed' | 'buffered' | 'ttheader' | 'ttheader-framed' | 'header' | 'header-framed'

/** How messages of Thrift are written. */
export type ThriftProtocol = 'binary' | 'compact' | 'json'

/** Do headers travel with the messages of this transport? */
export function hasHeaders(transport: ThriftTransport): boolean {
  return transport !== 'framed' && transport !== 'buffered'
}

/** Connections of a pool if nothing else is said. */
export const defaultPoolSize = 128

/**
 * The options in the core's units.
 * @throws VoloError INVALID_ARGUMENT for a duration or size that is none, and for a transport that does not go with the protocol.
 */
export function nativeClientOptions(options: ConnectionOptions): NativeClientOptions {
  if (options.protocol === 'json' && options.transport.startsWith('ttheader')) {
    throw new VoloError(
      'INVALID_ARGUMENT',
      `${options.transport} carries the binary and the compact protocol, not JSON`,
    )
  }
  const { pool } = options
  const native: NativeClientOptions = {
    mode: options.mode,
    transport: options.transport,
    protocol: options.protocol,
    poolSize: pool.size ?? defaultPoolSize,
    ...options.runtime,
  }
  if (pool.idleTimeout !== undefined) native.idleTimeout = milliseconds(pool.idleTimeout, 'idleTimeout')
  if (pool.maxLifetime !== undefined) native.maxLifetime = milliseconds(pool.maxLifetime, 'maxLifetime')
  if (options.connectTimeout !== undefined) {
    native.connectTimeout = milliseconds(options.connectTimeout, 'connectTimeout')
  }
  if (options.noDelay !== undefined) native.noDelay = options.noDelay
  if (options.keepAlive !== undefined) native.keepAlive = milliseconds(options.keepAlive, 'keepAlive')
  if (options.maxFrameSize !== undefined) native.maxFrameSize = bytes(options.maxFrameSize, 'maxFrameSize')
  if (options.maxSlots !== undefined) native.maxSlots = options.maxSlots
  if (options.maxDepth !== undefined) native.maxDepth = options.maxDepth
  if (options.strictUtf8 !== undefined) native.strictUtf8 = options.strictUtf8
  if (options.connections !== undefined) native.connections = options.connections
  if (options.zlib !== undefined) native.zlib = options.zlib
  if (options.caller !== '') native.caller = options.caller
  if (options.authority !== undefined) native.authority = options.authority
  return { ...native, grpc: nativeGrpcOptions(options) }
}
