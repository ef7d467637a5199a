/** `google.protobuf.Struct`, which protobuf-es has as a JSON object where it is a field. */
import type { JsonObject, JsonValue } from '@bufbuild/protobuf'
import { define } from '../core/tape/checks.js'

/** A Struct as a message. */
interface Struct {
  readonly fields: Readonly<Record<string, Value>>
}

/** `google.protobuf.Value` */
interface Value {
  readonly kind:
    | { readonly case: 'nullValue'; readonly value: number }
    | { readonly case: 'numberValue'; readonly value: number }
    | { readonly case: 'stringValue'; readonly value: string }
    | { readonly case: 'boolValue'; readonly value: boolean }
    | { readonly case: 'structValue'; readonly value: Struct }
    | { readonly case: 'listValue'; readonly value: { readonly values: readonly Value[] } }
    | { readonly case: undefined }
}

export function structToJson({ fields }: Struct): JsonObject {
  const object: JsonObject = {}
  for (const [name, value] of Object.entries(fields)) define(object, name, valueToJson(value))
  return object
}

function valueToJson({ kind }: Value): JsonValue {
  switch (kind.case) {
    case 'numberValue':
    case 'stringValue':
    case 'boolValue':
      return kind.value
    case 'structValue':
      return structToJson(kind.value)
    case 'listValue':
      return kind.value.values.map(valueToJson)
    default:
      return null
  }
}

export function jsonToStruct(object: JsonObject): Struct {
  const fields: Record<string, Value> = {}
  for (const [name, value] of Object.entries(object)) define(fields, name, jsonToValue(value))
  return { fields }
}

function jsonToValue(json: JsonValue): Value {
  switch (typeof json) {
    case 'number':
      return { kind: { case: 'numberValue', value: json } }
    case 'string':
      return { kind: { case: 'stringValue', value: json } }
    case 'boolean':
      return { kind: { case: 'boolValue', value: json } }
    default:
      if (json === null) return { kind: { case: 'nullValue', value: 0 } }
      if (Array.isArray(json)) return { kind: { case: 'listValue', value: { values: json.map(jsonToValue) } } }
      return { kind: { case: 'structValue', value: jsonToStruct(json) } }
  }
}
