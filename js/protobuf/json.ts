/** Messages as JSON, as ProtoJSON maps them: names in lowerCamelCase, 64-bit integers as strings, bytes in base64, well-known types in forms of their own. */
import type { MessageDescriptor } from '../core/descriptor.js'
import type { JsonValue } from '../schema/json-value.js'
import { JsonReader } from './json-read.js'
import { JsonWriter } from './json-write.js'

/** What both ways of the mapping may be told. */
interface JsonOptions {
  /** Messages that a `google.protobuf.Any` may hold, beside those of the message's own build. */
  readonly types?: readonly MessageDescriptor[]
}

/** Options of {@link toJson}. */
export interface ToJsonOptions extends JsonOptions {
  /** Writes fields without presence also where they are zero or empty. Default false. */
  readonly alwaysEmitImplicit?: boolean
  /** Writes numbers of enums instead of names. Default false. */
  readonly enumAsInteger?: boolean
  /** Writes fields under their names of the IDL. Default false. */
  readonly useProtoFieldName?: boolean
}

/** Options of {@link fromJson}. */
export interface FromJsonOptions extends JsonOptions {
  /** Passes over fields and names of enums that the schema does not know, instead of refusing them. Default false. */
  readonly ignoreUnknownFields?: boolean
}

/**
 * A message as a value for `JSON.stringify`. Unknown fields are left out.
 * @throws TapeTypeError naming the path of a value that the IDL, or ProtoJSON, does not allow.
 * @example
 * toJson(ItemSchema, { id: 1n, title: 'Hello' }) // { id: '1', title: 'Hello' }
 */
export function toJson<Message, Init>(
  message: MessageDescriptor<Message, Init>,
  value: Init,
  options: ToJsonOptions = {},
): JsonValue {
  return new JsonWriter(options).root(message, value)
}

/**
 * A message from what `JSON.parse` gave.
 * @throws TapeTypeError naming the path of a value that does not fit; VoloError INVALID_ARGUMENT if a packed message is damaged.
 * @example
 * const { id } = fromJson(ItemSchema, JSON.parse(text))
 */
export function fromJson<Message, Init>(
  message: MessageDescriptor<Message, Init>,
  json: JsonValue,
  options: FromJsonOptions = {},
): Message {
  return new JsonReader(options).root(message, json) as Message
}
