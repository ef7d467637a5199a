import type { PeerTls } from './peer-tls.js'

/** One end of a call by its name. */
export interface Endpoint {
  /** Name of the service; empty where the protocol does not tell it (a Thrift caller without TTHeader, or who does not say). */
  readonly service: string
  /** Its address, if one is known: `127.0.0.1:8080`, `unix:/run/item.sock`, `memory:item`. */
  readonly address: string | undefined
}

/** The other end of the connection. */
export interface Peer {
  /** Its address; empty if the connection is gone. */
  readonly address: string
  /** What TLS has agreed on; undefined without TLS, on a client, or if the connection is gone. */
  readonly tls: PeerTls | undefined
}
