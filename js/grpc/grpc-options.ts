import type { NativeBackoff, NativeGrpcOptions, NativeKeepalive } from '../core/addon.js'
import { milliseconds, type Duration } from '../core/duration.js'
import { VoloError } from '../core/errors.js'
import { bytes, type Size } from '../core/size.js'
import { compressions } from './message-body.js'

/** How messages of gRPC are compressed. */
export type Compression = 'gzip' | 'deflate' | 'zstd'

/** How an end of a connection finds out that the other one is gone although nothing says so (gRPC proposals A8 and A9). */
export interface KeepaliveOptions {
  /** Silence after which the peer is asked whether it is there, with a PING. At least `'1s'`; 0 switches it off. */
  readonly interval: Duration
  /** Silence after a PING after which the connection is given up, and with it its calls. Default `'20s'`. */
  readonly timeout?: Duration
}

/** As {@link KeepaliveOptions}, for a client. A server that objects (`too_many_pings`) gets half as many from the next connections. */
export interface ClientKeepaliveOptions extends KeepaliveOptions {
  /** Also while there is no call, which a server has to allow. Default false. */
  readonly withoutCalls?: boolean
}

/** How long a client waits between attempts to connect ("gRPC Connection Backoff Protocol"). A connection that is made begins it anew. */
export interface BackoffOptions {
  /** After the first failure. Default `'1s'`. */
  readonly initial?: Duration
  /** At most, before jitter. Default `'120s'`. */
  readonly max?: Duration
  /** How many times longer each time, 1 or more. Default 1.6. */
  readonly multiplier?: number
  /** So much of it more or less at random, 0 to 1. Default 0.2. */
  readonly jitter?: number
}

/** Options of gRPC, of either end. */
export interface GrpcOptions {
  readonly maxReceiveMessage?: Size | undefined
  readonly compression?: Compression | undefined
  readonly maxConcurrentStreams?: number | undefined
  readonly maxHeaderListSize?: Size | undefined
  readonly streamWindow?: Size | undefined
  readonly connectionWindow?: Size | undefined
  readonly keepalive?: ClientKeepaliveOptions | undefined
  readonly backoff?: BackoffOptions | undefined
  readonly maxConnectionAge?: Duration | undefined
  readonly maxConnectionAgeGrace?: Duration | undefined
  readonly minPingInterval?: Duration | undefined
  readonly pingsWithoutCalls?: boolean | undefined
  readonly maxResets?: number | undefined
  readonly maxControlFrames?: number | undefined
}

const sizes = ['maxReceiveMessage', 'maxHeaderListSize', 'streamWindow', 'connectionWindow'] as const
const durations = ['maxConnectionAge', 'maxConnectionAgeGrace', 'minPingInterval'] as const
const counts = ['maxConcurrentStreams', 'maxResets', 'maxControlFrames'] as const

/**
 * The options in the core's units.
 * @throws VoloError INVALID_ARGUMENT for a size, duration or number that is none, or a compression that there is not.
 */
export function nativeGrpcOptions(options: GrpcOptions): NativeGrpcOptions {
  const native: NativeGrpcOptions = {}
  const { compression, keepalive, backoff, pingsWithoutCalls } = options
  if (compression !== undefined) native.compression = checkCompression(compression)
  for (const name of sizes) {
    const size = options[name]
    if (size !== undefined) native[name] = bytes(size, name)
  }
  for (const name of durations) {
    const duration = options[name]
    if (duration !== undefined) native[name] = milliseconds(duration, name)
  }
  for (const name of counts) {
    const count = options[name]
    if (count !== undefined) native[name] = within(count, name, 0, 0xffffffff)
  }
  if (pingsWithoutCalls !== undefined) native.pingsWithoutCalls = pingsWithoutCalls
  if (keepalive !== undefined) native.keepalive = nativeKeepalive(keepalive)
  if (backoff !== undefined) native.backoff = nativeBackoff(backoff)
  return native
}

/** @throws VoloError INVALID_ARGUMENT if there is no such compression. */
export function checkCompression(name: Compression): Compression {
  if (compressions.includes(name)) return name
  throw new VoloError('INVALID_ARGUMENT', `there is no compression '${name}'; there are ${compressions.join(', ')}`)
}

function nativeKeepalive({ interval, timeout, withoutCalls }: ClientKeepaliveOptions): NativeKeepalive {
  const native: NativeKeepalive = {
    interval: milliseconds(interval, 'keepalive.interval'),
    withoutCalls: withoutCalls === true,
  }
  if (native.interval > 0 && native.interval < 1000) {
    throw new VoloError(
      'INVALID_ARGUMENT',
      `keepalive.interval is ${String(interval)}; it is at least '1s', or 0 for none`,
    )
  }
  if (timeout !== undefined) native.timeout = milliseconds(timeout, 'keepalive.timeout')
  return native
}

function nativeBackoff({ initial, max, multiplier, jitter }: BackoffOptions): NativeBackoff {
  const native: NativeBackoff = {}
  if (initial !== undefined) native.initial = milliseconds(initial, 'backoff.initial')
  if (max !== undefined) native.max = milliseconds(max, 'backoff.max')
  if (multiplier !== undefined) native.multiplier = within(multiplier, 'backoff.multiplier', 1, Number.MAX_VALUE)
  if (jitter !== undefined) native.jitter = within(jitter, 'backoff.jitter', 0, 1)
  return native
}

function within(value: number, name: string, least: number, most: number): number {
  if (value >= least && value <= most) return value
  throw new VoloError('INVALID_ARGUMENT', `${name} is ${value}; it has to be between ${least} and ${most}`)
}
