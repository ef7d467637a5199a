/** What a supervisor and its isolates say to each other. Sockets go by their number: they are held for the whole process. */
import type { MessagePort } from 'node:worker_threads'

import type { NativeListenOptions } from '../core/addon.js'
import type { ServerStats } from '../core/stats.js'

/** What the thread of an isolate is given when it begins. */
export interface IsolateData {
  /** The module to run. */
  readonly url: string
  /** Where the supervisor is. */
  readonly port: MessagePort
  /** The user's own. */
  readonly workerData: unknown
}

/** A connection that goes on in another isolate. */
export interface Connection {
  readonly kind: 'connection'
  readonly name: string
  readonly socket: number
  /** What was read of a message that is not complete. */
  readonly unread: Uint8Array
}

/** From an isolate. A server is named by its address as it was asked for, which is the same in every isolate. */
export type ToSupervisor =
  | { readonly kind: 'bind'; readonly request: number; readonly name: string; readonly options: NativeListenOptions }
  | { readonly kind: 'listening'; readonly name: string }
  | { readonly kind: 'closing'; readonly name: string }
  | { readonly kind: 'adopted'; readonly socket: number }
  | Connection
  | { readonly kind: 'stats'; readonly request: number; readonly stats: ServerStats }
  | { readonly kind: 'drained' }

/** To an isolate. */
export type ToIsolate =
  | { readonly kind: 'bound'; readonly request: number; readonly socket: number }
  | { readonly kind: 'failed'; readonly request: number; readonly message: string; readonly code: string | undefined }
  | { readonly kind: 'stats'; readonly request: number }
  | { readonly kind: 'drain'; readonly grace: number; readonly handOver: boolean }
  | Connection
