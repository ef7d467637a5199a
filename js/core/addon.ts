/** The native addon: its surface as TypeScript sees it, and the only door to it. */
import { loadAddon } from './load-addon.js'

/** What is set of gRPC; sizes in bytes. */
export interface NativeGrpcOptions {
  maxReceiveMessage?: number
  compression?: 'gzip' | 'deflate' | 'zstd'
  maxConcurrentStreams?: number
  maxHeaderListSize?: number
  streamWindow?: number
  connectionWindow?: number
  /** A server has one if this is absent: two hours, whether there are calls or not. An interval of 0 is none. */
  keepalive?: NativeKeepalive
  /** Of a client: between attempts to connect. */
  backoff?: NativeBackoff
  /** Of a server; 0 or absent for never. */
  maxConnectionAge?: number
  maxConnectionAgeGrace?: number
  minPingInterval?: number
  pingsWithoutCalls?: boolean
  /** Streams reset a second; SETTINGS, and PINGs while nothing is sent, a second. */
  maxResets?: number
  maxControlFrames?: number
}

/** How a silent peer is asked whether it is there; times in ms. */
export interface NativeKeepalive {
  interval: number
  timeout?: number
  withoutCalls: boolean
}

/** Times in ms. */
export interface NativeBackoff {
  initial?: number
  max?: number
  multiplier?: number
  jitter?: number
}

/** Options of {@link Core.listen}. Times are milliseconds, sizes bytes. */
export interface NativeListenOptions {
  grpc?: NativeGrpcOptions
  /** `tcp` address to bind. */
  host?: string
  port?: number
  /** Unix socket path; instead of host and port. */
  path?: string
  /** Name of an in-process endpoint; instead of the others. No socket is made. */
  memory?: string
  backlog?: number
  reusePort?: boolean
  /** Number of a held socket that listens already: a duplicate of it is served on, and the address is not looked at. */
  held?: number
  noDelay?: boolean
  /** TCP keepalive idle time in ms; 0 switches it off. */
  keepAlive?: number
  maxFrameSize?: number
  maxSlots?: number
  maxDepth?: number
  /** Strings that are not UTF-8 are an error instead of being mended. */
  strictUtf8?: boolean
  /** Calls in flight on one connection before it is not read any more. */
  maxInFlight?: number
  /** Unwritten output of one connection before it is not read any more. */
  maxUnwritten?: number
  maxConnections?: number
  /** Memory that incomplete requests of all connections of the process may take together. */
  memoryBudget?: number
  /** Milliseconds in which a frame that has begun must be complete. */
  frameTimeout?: number
  /** Connections of one IP address; unlimited if absent. */
  maxConnectionsPerPeer?: number
  /** Calls in flight beyond which further ones are refused, a thread. */
  maxCalls?: number
  /** Milliseconds without a call; 0 or absent for never. */
  idleTimeout?: number
  /** Milliseconds in which a peer takes nothing of what is written. */
  writeTimeout?: number
  runtime?: 'inline' | 'tokio' | 'monoio'
  /** I/O threads of the runtime. */
  threads?: number
  /** gRPC: answers health checks; true if absent. */
  health?: boolean
  /** gRPC: tells its services and descriptors; false if absent. */
  reflection?: boolean
  /** Thrift with headers: answers go out as they come. */
  multiplex?: boolean
  /** Calls of Thrift methods that nobody has come as RAW_CALL. */
  takesUnknown?: boolean
  /** Clients that calls are passed on to; they are made and closed with the server. */
  upstreams?: readonly NativeUpstream[]
  /** Calls that are passed on. */
  routes?: readonly NativeRoute[]
  tls?: NativeServerTls
}

/** A client that a server passes calls on to, on each of its threads. */
export interface NativeUpstream {
  /** An id that no other server or client has. */
  id: number
  client: NativeClientOptions
  /** A STATE message tells that it cannot connect, once a second at most. */
  tellsUnreachable: boolean
}

/** Calls that go one way. */
export interface NativeRoute {
  /** Id of an upstream. */
  upstream: number
  /** Milliseconds an answer may take. */
  timeout?: number
  methods: readonly NativeRoutedMethod[]
  /** Calls of methods that nobody has go this way. */
  unknown: boolean
}

/** A method of a service. */
export interface NativeRoutedMethod {
  /** Index into the services that the server is given. */
  service: number
  /** Index into the program's methods. */
  method: number
}

/** A server's TLS; all in PEM form. */
export interface NativeServerTls {
  cert: string
  key: string
  /** Who issues certificates of clients. */
  ca?: string
  clientCertificate: 'none' | 'optional' | 'required'
  byName: { name: string; cert: string; key: string }[]
}

/** A client's TLS; all in PEM form. */
export interface NativeClientTls {
  /** Whom it trusts; everybody if absent. */
  ca?: string
  cert?: string
  key?: string
  serverName: string
}

/** What was agreed on with a peer. */
export interface NativePeerTls {
  version: string
  cipher: string
  alpn?: string
  serverName?: string
  /** DER. */
  certificate?: Uint8Array
}

/** Options of {@link Core.connect}. Times are milliseconds, sizes bytes. */
export interface NativeClientOptions {
  grpc?: NativeGrpcOptions
  /** gRPC: `:authority` of requests. */
  authority?: string
  tls?: NativeClientTls
  /** Connections that calls are spread over, but in a pool. */
  connections?: number
  host?: string
  port?: number
  path?: string
  memory?: string
  /** `pipelined`: `connections`, each with many calls at once. `pingpong`: a pool, one call a connection at a time. */
  mode: 'pipelined' | 'pingpong'
  transport: 'framed' | 'buffered' | 'ttheader' | 'ttheader-framed' | 'header' | 'header-framed'
  protocol: 'binary' | 'compact' | 'json'
  /** Thrift with headers: who calls whom; the service is the IDL's. */
  caller?: string
  callee?: string
  service?: string
  /** Stands in front of the names of Thrift methods. */
  methodPrefix?: string
  /** THeader: compresses. */
  zlib?: boolean
  poolSize?: number
  idleTimeout?: number
  maxLifetime?: number
  connectTimeout?: number
  noDelay?: boolean
  keepAlive?: number
  maxFrameSize?: number
  maxSlots?: number
  maxDepth?: number
  /** Strings that are not UTF-8 are an error instead of being mended. */
  strictUtf8?: boolean
  runtime?: 'inline' | 'tokio' | 'monoio'
  /** I/O threads of the runtime. */
  threads?: number
}

/** Services of a program that a server answers for. */
export interface NativeServices {
  program: number
  /** Indexes into the schema's services. */
  services: number[]
}

/** What {@link Core.listen} did. */
export interface NativeListening {
  /** The bound address: `127.0.0.1:8080`, `[::1]:8080`, `unix:/path` or `memory:name`. */
  address: string
  /** What tells that sockets are ready, or moves their bytes. */
  driver: 'epoll' | 'io_uring' | 'kqueue' | 'iocp'
  /** I/O threads beside the isolate's; every one of them tells its end with a CLOSED message, or the isolate's own if there are none. */
  threads: number
}

/** Called by the core. None of them may throw. */
export interface CoreHooks {
  /** The asynchronous resource in whose scope {@link deliver} runs. */
  readonly resource: object
  /** The in tape holds messages, whose large binaries are views of these arrays. */
  deliver(arrays?: readonly Uint8Array[]): void
  /** Encode the rope into the out tape's text. */
  encodeText(): void
  /** A message needs a larger in tape: make one (at least these sizes), pass it to {@link Core.setIn}. Sizes in slots and bytes. */
  growIn(slots: number, text: number, bytes: number): void
  /** An I/O thread has ended because of a defect, which will be thrown as an uncaught error next. Told once. */
  threadFailed(): void
}

/** One isolate's reactor and engine. */
export interface Core {
  setIn(slots: BigInt64Array, text: Uint8Array, bytes: Uint8Array): void
  setOut(slots: BigInt64Array, text: Uint8Array, bytes: Uint8Array): void
  /** Compiles a schema (JSON of `crates/schema`); the same text gives the same id. */
  loadSchema(json: string): number
  /**
   * Serves services of Thrift, of gRPC, or of both on one port, under an id that no other server or client has: it stands in the header of
   * every CALL and REQUEST.
   */
  listen(
    id: number,
    thrift: NativeServices | undefined,
    grpc: NativeServices | undefined,
    options: NativeListenOptions,
  ): NativeListening
  /** Sets what health checks of gRPC are told of a service of a server; of the server as a whole if its name is empty. */
  setHealth(id: number, service: string, serving: boolean): void
  /** Stops accepting, lets calls finish for `grace` ms, closes; a CLOSED message on the tape tells the end. */
  closeServer(id: number, grace: number): void
  /**
   * Stops accepting and lets connections go, each as it comes to rest within `grace` ms: it is held then, and a HANDED message on the tape
   * tells its number. A CLOSED message tells the end.
   */
  handOver(id: number, grace: number): void
  /** Goes on with a held connection; `unread` is what another server has read of a message that is not complete. */
  adopt(id: number, socket: number, unread: Uint8Array): void
  /** Makes a client, under an id as above; connects when the first call needs it. */
  connect(id: number, program: number, options: NativeClientOptions): void
  /** Connections that a client makes from now on go to this IP address, the next one without waiting for its backoff. */
  readdress(id: number, host: string, port: number): void
  /** Fails what is in flight after `grace` ms and closes; a CLOSED message on the tape tells the end. */
  closeClient(id: number, grace: number): void
  /** An owner has told its end, and its id may be given to another one. */
  forget(id: number): void
  /** Counters of a server, of a client (JSON); `{}` once it is forgotten. */
  serverStats(id: number): string
  clientStats(id: number): string
  /** What is pooled, on all threads (JSON). */
  poolStats(): string
  /** Address of the peer of a server's call, by the connection that the last slot of its CALL names; empty if it is gone. */
  peer(id: number, callSlot: number, connection: number, serial: number): string
  /** What TLS has agreed on with that peer; null without TLS, or once it is gone. */
  peerTls(id: number, callSlot: number, connection: number, serial: number): NativePeerTls | null
  /** Connections that come to a server, or that a client makes, from now on use these; on an error all is as before. */
  reloadServerTls(id: number, tls: NativeServerTls): void
  reloadClientTls(id: number, tls: NativeClientTls): void
  /** Takes what is on the out tape now. Allowed at any time but inside {@link CoreHooks.encodeText}. */
  flush(): void
  /** The same with arrays that it refers to: they may be changed again when this returns. */
  submitWith(arrays: readonly Uint8Array[]): void
  /** Keeps the event loop alive until nothing is in flight; call it when the first call goes in flight. */
  ref(): void
  /** Closes everything at once. */
  shutdown(): void
}

/** What {@link Addon.bindSocket} made. */
export interface NativeSocket {
  /** Its number in this process. */
  socket: number
  /** The bound address, as {@link NativeListening.address}. */
  address: string
}

/**
 * One end of a passage between two processes. The callback gets a message and the number of the held socket beside it; neither at the
 * end, but the reason if it is not the other side's orderly one. It does not keep the event loop alive.
 */
export interface NativePassage {
  /** Sends; the socket is held no longer. Never waits. */
  send(body: Uint8Array, socket?: number): void
  /** Closes once what was sent is on its way. */
  close(): void
}

type OnMessage = (body: Uint8Array | null, socket: number | null, reason: string | null) => void

/**
 * Where other processes of this user call; the callback gets the number of a held connection, for {@link NativePassage}, or the reason why
 * nobody can call any more.
 */
export interface NativeDoor {
  /** The held socket it listens on. */
  readonly socket: number
  /** Lets nobody in any more; the socket stays held. */
  close(): void
}

/** Messages of one Protobuf schema to bytes and back, on tapes that are passed. Errors have a `code`: `ERR_TAPE_FULL` wants a larger tape. */
export interface NativeMessageCodec {
  /** The bytes of the message `index` whose struct begins at slot `base`. */
  encode(index: number, base: number, slots: BigInt64Array, text: Uint8Array, bytes: Uint8Array): Uint8Array
  /** Lays a message onto a tape, alone; gives the first slot of its struct. */
  decode(index: number, message: Uint8Array, slots: BigInt64Array, text: Uint8Array, bytes: Uint8Array): number
}

/** The addon's exports. */
export interface Addon {
  /** Binds and listens. The socket is held for the process: connections queue up in it, whoever serves on it. */
  bindSocket(options: NativeListenOptions): NativeSocket
  /** Closes a held socket; false if it is not held any more. */
  closeSocket(socket: number): boolean
  /** Takes the connections that wait in a held listener's queue; each is held then. */
  acceptWaiting(socket: number): number[]
  /** Another descriptor of a held listener, held too. Not on Windows, as all that carries sockets to other processes. */
  duplicateSocket(socket: number): number
  /** Whether the file of a held Unix listener goes when it is closed. Not on Windows. */
  ownPath(socket: number, owned: boolean): void
  /** Sockets held in this process now. */
  heldSockets(): number
  /** Not on Windows. */
  NativePassage: {
    /** Connects to the process that listens on a path. */
    connect(path: string, onMessage: OnMessage): NativePassage
    /** Takes a held connection. */
    adopt(socket: number, onMessage: OnMessage): NativePassage
  }
  /** Not on Windows. */
  NativeDoor: {
    /** Listens on a path with mode 0600, or on a held socket that did so in another process. */
    open(
      path: string,
      socket: number | undefined,
      onVisitor: (socket: number | null, reason: string | null) => void,
    ): NativeDoor
  }
  /** Version of the tape's layout this binary speaks. */
  layoutVersion(): number
  /** `{ "schema": Schema }`, or `{ "errors": IdlMistake[] }` with file, line, column, message, source and hint. */
  parseThrift(files: string[], includeDirs: string[]): string
  /** The same for Protobuf. */
  parseProto(files: string[], includeDirs: string[]): string
  /** The same for a `google.protobuf.FileDescriptorSet`; its mistakes have no lines. */
  parseDescriptorSet(set: Uint8Array): string
  /** Throws what is wrong with a client's TLS. */
  checkClientTls(tls: NativeClientTls): void
  Core: new (hooks: CoreHooks) => Core
  MessageCodec: new (schema: string) => NativeMessageCodec
}

let loaded: Addon | undefined

/**
 * The addon, loaded at its first use.
 * @throws Error that says what was tried and what to do, if no binary loads in this process; see {@link loadAddon}.
 */
export function addon(): Addon {
  return (loaded ??= loadAddon())
}
