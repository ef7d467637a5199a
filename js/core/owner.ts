import type { ServingCalls } from './serving-calls.js'
import type { InTape } from './tape/reader.js'

/** Takes what the core says about a server's gRPC calls. `p` is the first slot of the message on the tape. */
export interface GrpcReceiver {
  /** A request has arrived; where the client streams, its messages follow. */
  request(tape: InTape, p: number, slot: number, generation: number, method: number): void
  /** One message of the client's stream. */
  message(tape: InTape, p: number, slot: number, generation: number): void
  /** The client has sent all. */
  end(slot: number, generation: number): void
  /** So many messages of the handler have left. */
  credit(slot: number, generation: number, count: number): void
  /** Nobody waits for this answer. */
  gone(slot: number, generation: number): void
}

/** A server or a client that the core has made. */
export interface Owner {
  /** Thrift calls of a server. */
  readonly serving: ServingCalls | undefined
  /** gRPC calls of a server. */
  readonly grpc?: GrpcReceiver | undefined
  /** The core has finished closing it. */
  closed(): void
  /** Something an operator wants to know. */
  event(level: number, text: string): void
  /** It has changed whether a client can reach its server: the number of the state. */
  state?(state: number): void
  /** A connection has left for another server: the number of its held socket, and what was read of a message that is not complete. */
  handed?(socket: number, unread: Uint8Array): void
}
