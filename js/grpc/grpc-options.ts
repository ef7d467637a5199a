import type { NativeGrpcOptions } from '../core/addon.js'
import { VoloError } from '../core/errors.js'
import { bytes, type Size } from '../core/size.js'

/** How messages of gRPC are compressed. */
export type Compression = 'gzip' | 'deflate' | 'zstd'

/** Options that both ends of gRPC have. */
export interface GrpcOptions {
  readonly maxReceiveMessage?: Size | undefined
  readonly compression?: Compression | undefined
  readonly maxConcurrentStreams?: number | undefined
  readonly maxHeaderListSize?: Size | undefined
  readonly streamWindow?: Size | undefined
  readonly connectionWindow?: Size | undefined
}

/**
 * The options in the core's units.
 * @throws VoloError INVALID_ARGUMENT for a size that is none, or a compression that there is not.
 */
export function nativeGrpcOptions(options: GrpcOptions): NativeGrpcOptions {
  const native: NativeGrpcOptions = {}
  const { compression, maxConcurrentStreams } = options
  if (compression !== undefined) {
    if (!compressions.has(compression)) {
      throw new VoloError(
        'INVALID_ARGUMENT',
        `there is no compression '${compression}'; there are gzip, deflate and zstd`,
      )
    }
    native.compression = compression
  }
  if (maxConcurrentStreams !== undefined) native.maxConcurrentStreams = maxConcurrentStreams
  for (const name of ['maxReceiveMessage', 'maxHeaderListSize', 'streamWindow', 'connectionWindow'] as const) {
    const size = options[name]
    if (size !== undefined) native[name] = bytes(size, name)
  }
  return native
}

const compressions: ReadonlySet<Compression> = new Set(['gzip', 'deflate', 'zstd'])
