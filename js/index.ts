/** volo-js: services, layers and policies in TypeScript on a Rust core that moves and decodes the bytes. */
export type { Address } from './core/address.js'
export { Client, type ClientBuilder, type ClientMethod, type Messages } from './core/client.js'
export type { CallOptions, GrpcCallOptions, ThriftCallOptions } from './core/call-options.js'
export type { WarmUpOptions } from './core/warm-up.js'
export type { ClientOptions, PoolOptions, ThriftProtocol, ThriftTransport } from './core/client-options.js'
export { systemClock, type Clock } from './core/clock.js'
export type { Stage } from './core/compose.js'
export type { ConnectivityState } from './core/connectivity.js'
export { ContextKey } from './core/context-key.js'
export type { CallScope, Context, ContextOf, GrpcContext, ResponseMetadata, ThriftContext } from './core/context.js'
export type {
  GrpcMethodDescriptor,
  GrpcServiceDescriptor,
  MessageDescriptor,
  MessageInitOf,
  MessageOf,
  MethodShape,
  Protocol,
  RequestInitOf,
  RequestOf,
  ResponseInitOf,
  ResponseOf,
  ServiceDescriptor,
  ThriftServiceDescriptor,
} from './core/descriptor.js'
export type { Duration } from './core/duration.js'
export type { Endpoint, Peer } from './core/endpoint.js'
export type { PeerTls } from './core/peer-tls.js'
export type { ClientTlsOptions, Identity, Pem, ServerTlsOptions } from './core/tls-options.js'
export {
  ThriftApplicationError,
  ThriftApplicationErrorType,
  ThriftProtocolError,
  TransportError,
  VoloError,
  type ErrorOptions,
  type Sent,
} from './core/errors.js'
export type { Handlers } from './core/handlers.js'
export { layerFn, type Layer, type LayerFunction } from './core/layer.js'
export { log, type LogEntry, type LogOptions } from './core/layers/log.js'
export { timeout } from './core/layers/timeout.js'
export { Metadata } from './core/metadata.js'
export type { MethodInfo, MethodKind } from './core/method-info.js'
export { Server } from './core/server.js'
export { BizError } from './thrift/biz-error.js'
export type { RawCall, UnknownMethodHandler } from './thrift/raw-call.js'
export { Metainfo, MetaValues, type MetainfoInit } from './thrift/metainfo.js'
export { bearer, type CallCredentials, type CredentialsRequest } from './grpc/call-credentials.js'
export { GrpcError, type GrpcErrorOptions } from './grpc/grpc-error.js'
export type { BackoffOptions, ClientKeepaliveOptions, Compression, KeepaliveOptions } from './grpc/grpc-options.js'
export type { ErrorDetail } from './grpc/status-details.js'
export type { RuntimeInfo, RuntimeKind, RuntimeOptions } from './core/runtime.js'
export type { CloseOptions, ServerHandle } from './core/server-handle.js'
export type { HealthStatus, ServerHealth } from './core/server-health.js'
export type { HandoverOptions, ServerEvent, ServerOptions } from './core/server-options.js'
export type { Answer, Service } from './core/service.js'
export type { Size } from './core/size.js'
export type { UpstreamBuilder, UpstreamDescription, UpstreamStats } from './core/upstream.js'
export type { ClientStats, PoolStats, ServerStats } from './core/stats.js'
export { Status, type Code } from './core/status.js'
export { TapeRangeError, TapeTypeError } from './core/tape/errors.js'
export type { IsolateEvent, IsolatesOptions, RestartOptions } from './isolates/options.js'
export type { IsolateState, IsolateStats } from './isolates/place.js'
export { runIsolates, type IsolatesHandle, type IsolatesStats } from './isolates/run-isolates.js'
