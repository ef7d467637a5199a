/** What a server has seen since it began to listen. */
export interface ServerStats {
  /** Connections open now. */
  readonly connections: number
  /** Connections accepted in all. */
  readonly accepted: number
  /** Connections closed at once, for `maxConnections` was reached or descriptors ran out. */
  readonly refused: number
  /** Connections closed at once, for their address had `maxConnectionsPerPeer` already. */
  readonly refusedPerPeer: number
  /** Calls that a handler was given and has not answered. */
  readonly inFlight: number
  /** Calls received in all. */
  readonly calls: number
  /** Answers with a result or a declared exception. */
  readonly replies: number
  /** Answers with a ThriftApplicationError. */
  readonly exceptions: number
  /** Calls of methods the server does not have. */
  readonly unknownMethods: number
  /** Connections ended, or calls refused, because of bytes that are not Thrift or exceed a limit. */
  readonly protocolErrors: number
  /** Calls whose caller had stopped waiting before they could begin. */
  readonly expired: number
  /** Calls refused, for `maxCalls` were in flight. */
  readonly overloads: number
  /** Calls refused and connections ended, for the memory budget of the process was used up. */
  readonly memoryRefusals: number
  /** Requests that were not complete in time. */
  readonly frameTimeouts: number
  /** Connections closed after `idleTimeout` without a call. */
  readonly idleTimeouts: number
  /** Connections closed because their peer took nothing of its answers for `writeTimeout`. */
  readonly writeTimeouts: number
  /** Times a connection was not read because of too many calls in flight or too much unwritten output. */
  readonly pauses: number
  /** Calls whose caller was gone before the answer. */
  readonly abandoned: number
  /** Bytes received. */
  readonly bytesRead: number
  /** Bytes written. */
  readonly bytesWritten: number
  /** What is pooled, for all servers and clients of this isolate. */
  readonly pools: PoolStats
}

/** Memory that calls use in turn, on all threads of this isolate. */
export interface PoolStats {
  /** Records of calls in use. */
  readonly contextsInUse: number
  /** Records of calls that wait for the next one; never more than were in use at once. */
  readonly contextsSpare: number
  /** Buffers that wait for the next connection or call; at most 256 of 64 KiB a thread. */
  readonly buffersSpare: number
  /** Buffers that came from the pool. */
  readonly buffersReused: number
  /** Buffers that were made because the pool had none. */
  readonly buffersMade: number
}

/** What a client has done since its first call. */
export interface ClientStats {
  /** Connections open now, those being made included. */
  readonly connections: number
  /** Connections open and without a call. */
  readonly idle: number
  /** Connections attempted in all. */
  readonly connects: number
  /** Attempts that failed. */
  readonly connectFailures: number
  /** Calls written, or waiting to be. */
  readonly inFlight: number
  /** Calls that wait for a connection. */
  readonly waiting: number
  /** Calls made in all. */
  readonly calls: number
  /** Calls that were answered, with whatever. */
  readonly answered: number
  /** Calls that failed without an answer. */
  readonly failed: number
  /** Calls given up by the caller. */
  readonly cancelled: number
  /** Bytes received. */
  readonly bytesRead: number
  /** Bytes written. */
  readonly bytesWritten: number
}

/** Counters of a server that has seen nothing. */
export const noServerStats: ServerStats = {
  connections: 0,
  accepted: 0,
  refused: 0,
  refusedPerPeer: 0,
  inFlight: 0,
  calls: 0,
  replies: 0,
  exceptions: 0,
  unknownMethods: 0,
  protocolErrors: 0,
  expired: 0,
  overloads: 0,
  memoryRefusals: 0,
  frameTimeouts: 0,
  idleTimeouts: 0,
  writeTimeouts: 0,
  pauses: 0,
  abandoned: 0,
  bytesRead: 0,
  bytesWritten: 0,
  pools: { contextsInUse: 0, contextsSpare: 0, buffersSpare: 0, buffersReused: 0, buffersMade: 0 },
}

/** Counters of a client that has made no call. */
export const noClientStats: ClientStats = {
  connections: 0,
  idle: 0,
  connects: 0,
  connectFailures: 0,
  inFlight: 0,
  waiting: 0,
  calls: 0,
  answered: 0,
  failed: 0,
  cancelled: 0,
  bytesRead: 0,
  bytesWritten: 0,
}
