/** `volo-js/protobuf`: messages as bytes and as JSON, without a service. */
export { fromBinary, toBinary } from '../grpc/message-codec.js'
export { fromJson, toJson, type FromJsonOptions, type ToJsonOptions } from './json.js'
export type { MessageDescriptor, MessageInitOf, MessageOf } from '../core/descriptor.js'
export type { JsonValue } from '../schema/json-value.js'
