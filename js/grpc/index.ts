/** volo-js/grpc: everything a gRPC service needs, from one import. */
export * from '../index.js'
export type {
  GrpcMethodDescriptor,
  GrpcServiceDescriptor,
  MessageDescriptor,
  MessageInitOf,
  MessageOf,
} from '../core/descriptor.js'
export { IdlError, type IdlMistake } from '../schema/idl-error.js'
export type { GenericGrpcService, LoadProtoOptions } from '../schema/load.js'
export type {
  GenericMethodDefinition,
  GenericServiceDefinition,
  MethodDefinition,
  ServiceDefinition,
} from './definition.js'
export {
  BadRequestSchema,
  DebugInfoSchema,
  ErrorInfoSchema,
  HelpSchema,
  LocalizedMessageSchema,
  PreconditionFailureSchema,
  QuotaFailureSchema,
  RequestInfoSchema,
  ResourceInfoSchema,
  RetryInfoSchema,
  type BadRequest,
  type DebugInfo,
  type ErrorInfo,
  type Help,
  type LocalizedMessage,
  type PreconditionFailure,
  type QuotaFailure,
  type RequestInfo,
  type ResourceInfo,
  type RetryInfo,
} from './error-details.js'
export { fromDefinition } from './from-definition.js'
export { loadDescriptorSet, loadProto } from './load.js'
export { fromBinary, toBinary } from './message-codec.js'
export { findDetails, packDetail } from './packed-details.js'
export { fromJson, toJson, type FromJsonOptions, type ToJsonOptions } from '../protobuf/json.js'
export type { JsonValue } from '../schema/json-value.js'
