/**
 * How a client of gRPC stands to its server ("gRPC Connectivity Semantics and API"):
 * - `IDLE`: there is no connection, and no call wants one.
 * - `CONNECTING`: a connection is being made.
 * - `READY`: there is a connection that takes calls.
 * - `TRANSIENT_FAILURE`: the last attempt has failed; the next one is made when its backoff is over and a call wants it.
 * - `SHUTDOWN`: the client was closed.
 */
export type ConnectivityState = 'IDLE' | 'CONNECTING' | 'READY' | 'TRANSIENT_FAILURE' | 'SHUTDOWN'

/** By the numbers that the core has for them. */
export const connectivityStates: readonly ConnectivityState[] = [
  'IDLE',
  'CONNECTING',
  'READY',
  'TRANSIENT_FAILURE',
  'SHUTDOWN',
]
