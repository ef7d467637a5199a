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
export { loadDescriptorSet, loadProto } from './load.js'
export { fromBinary, toBinary } from './message-codec.js'
export { fromJson, toJson, type FromJsonOptions, type JsonValue, type ToJsonOptions } from '../protobuf/json.js'
