/** Well-known types from JSON. */
import { isRecord } from '../core/tape/checks.js'
import { describe, TapeTypeError } from '../core/tape/errors.js'
import { toBinary } from '../grpc/message-codec.js'
import type { JsonReader } from './json-read.js'
import { fieldType, knownOf, typeOf, type Known } from './schema-of.js'
import { parseDuration, parseTimestamp, type Time } from './time-text.js'
import { isWellKnown } from './well-known-write.js'

/** The message of a well-known type; undefined if the message is none. */
export function readWellKnown(
  reader: JsonReader,
  known: Known,
  index: number,
  json: unknown,
  path: string,
): object | undefined {
  const { interpreter } = known
  const struct = interpreter.schema.structs[index]
  if (!isWellKnown(struct.name)) return undefined
  const made = (fields: Record<string, unknown>): object => Object.assign(interpreter.blank(index), fields)
  const inner = (field: string): unknown => reader.value(known, fieldType(struct, field).type, json, path)
  switch (struct.name) {
    case 'google.protobuf.Any':
      return made(anyOf(reader, known, json, path))
    case 'google.protobuf.Timestamp':
      return made(timeOf(known, parseTimestamp, 'a time as 2001-02-03T04:05:06.789Z', json, path))
    case 'google.protobuf.Duration':
      return made(timeOf(known, parseDuration, 'a duration as 1.5s', json, path))
    case 'google.protobuf.FieldMask':
      return made({ paths: pathsOf(json, path) })
    case 'google.protobuf.Struct':
      return made({ fields: inner('fields') })
    case 'google.protobuf.ListValue':
      return made({ values: inner('values') })
    case 'google.protobuf.Value': {
      const [field, name] = kindOf(json, path)
      return made({ kind: { case: name, value: inner(field) } })
    }
    default:
      return made({ value: inner('value') })
  }
}

function timeOf(
  { interpreter }: Known,
  parse: (text: string) => Time | undefined,
  expected: string,
  json: unknown,
  path: string,
): Record<string, unknown> {
  const time = typeof json === 'string' ? parse(json) : undefined
  if (time === undefined) throw new TapeTypeError(path, `expected ${expected}, got ${describe(json)}`)
  return { seconds: interpreter.int64 === 'bigint' ? time.seconds : Number(time.seconds), nanos: time.nanos }
}

function pathsOf(json: unknown, path: string): string[] {
  if (typeof json !== 'string') throw new TapeTypeError(path, `expected a string, got ${describe(json)}`)
  if (json === '') return []
  return json.split(',').map((one) => {
    if (one.includes('_')) throw new TapeTypeError(path, `paths are in lowerCamelCase, ${JSON.stringify(one)} is not`)
    return one.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  })
}

/** The field of `google.protobuf.Value` that holds such a value, and its name in JavaScript. */
function kindOf(json: unknown, path: string): [field: string, name: string] {
  switch (typeof json) {
    case 'boolean':
      return ['bool_value', 'boolValue']
    case 'number':
      return ['number_value', 'numberValue']
    case 'string':
      return ['string_value', 'stringValue']
    case 'object':
      if (json === null) return ['null_value', 'nullValue']
      return Array.isArray(json) ? ['list_value', 'listValue'] : ['struct_value', 'structValue']
    default:
      throw new TapeTypeError(path, `JSON has no ${typeof json}`)
  }
}

function anyOf(reader: JsonReader, known: Known, json: unknown, path: string): Record<string, unknown> {
  if (!isRecord(json)) throw new TapeTypeError(path, `expected an object, got ${describe(json)}`)
  const { '@type': url, ...rest } = json
  if (url === undefined) {
    if (Object.keys(rest).length === 0) return {}
    throw new TapeTypeError(path, 'a google.protobuf.Any says what it holds in "@type"')
  }
  if (typeof url !== 'string') throw new TapeTypeError(`${path}["@type"]`, `expected a string, got ${describe(url)}`)
  const type = typeOf(known, reader.options.types, url, `${path}["@type"]`)
  const of = knownOf(type)
  if (!isWellKnown(type.name)) return { typeUrl: url, value: toBinary(type, reader.object(of, type.index, rest, path)) }
  const { value, ...others } = rest
  const [other] = Object.keys(others)
  if (value === undefined) throw new TapeTypeError(path, `a packed ${type.name} is in "value"`)
  if (other !== undefined && reader.options.ignoreUnknownFields !== true) {
    throw new TapeTypeError(path, `it has no field ${JSON.stringify(other)}`)
  }
  return { typeUrl: url, value: toBinary(type, reader.message(of, type.index, value, `${path}.value`)) }
}
