/** Well-known types to JSON. */
import { fromBinary } from '../grpc/message-codec.js'
import { required } from '../core/tape/checks.js'
import { TapeTypeError } from '../core/tape/errors.js'
import { isOneof, propertiesOf } from '../schema/message.js'
import { protoCamelCase } from '../schema/names.js'
import type { JsonValue } from '../schema/json-value.js'
import type { JsonWriter } from './json-write.js'
import { fieldType, typeOf, type Known } from './schema-of.js'
import { durationText, timestampText } from './time-text.js'

type Fields = Record<string, unknown>

const wrapper = /^google\.protobuf\.(Double|Float|U?Int64|U?Int32|Bool|String|Bytes)Value$/

/** True for messages that are something else than an object of their fields in JSON. */
export function isWellKnown(name: string): boolean {
  return special.has(name) || wrapper.test(name)
}

const special = new Set(
  ['Any', 'Timestamp', 'Duration', 'FieldMask', 'Struct', 'Value', 'ListValue'].map(
    (name) => `google.protobuf.${name}`,
  ),
)

/** The JSON of a well-known type; undefined if the message is none. */
export function writeWellKnown(
  writer: JsonWriter,
  known: Known,
  index: number,
  message: Fields,
  path: string,
): JsonValue | undefined {
  const struct = known.interpreter.schema.structs[index]
  switch (struct.name) {
    case 'google.protobuf.Any':
      return anyJson(writer, known, message, path)
    case 'google.protobuf.Timestamp':
      return timestampText(timeOf(message, path)) ?? outOfRange(path, 'the years 1 to 9999')
    case 'google.protobuf.Duration':
      return durationText(timeOf(message, path)) ?? outOfRange(path, '10,000 years, both parts of one sign')
    case 'google.protobuf.FieldMask':
      return maskText(message.paths, path)
    case 'google.protobuf.Struct':
      return message.fields === undefined
        ? {}
        : writer.value(known, fieldType(struct, 'fields').type, message.fields, `${path}.fields`)
    case 'google.protobuf.ListValue':
      return message.values === undefined
        ? []
        : writer.value(known, fieldType(struct, 'values').type, message.values, `${path}.values`)
    case 'google.protobuf.Value':
      return valueJson(writer, known, index, message, path)
    default:
      if (!wrapper.test(struct.name)) return undefined
      return writer.value(known, fieldType(struct, 'value').type, message.value ?? zeroOf(struct.name), `${path}.value`)
  }
}

function zeroOf(name: string): unknown {
  if (name.includes('Int64')) return 0n
  if (name.includes('String')) return ''
  if (name.includes('Bytes')) return new Uint8Array()
  return name.includes('Bool') ? false : 0
}

function outOfRange(path: string, range: string): never {
  throw new TapeTypeError(path, `it is not within ${range}, and JSON has no form for it`)
}

/** Seconds may be a number in code that was built so. */
function timeOf({ seconds = 0n, nanos = 0 }: Fields, path: string): { seconds: bigint; nanos: number } {
  const whole = typeof seconds === 'number' && Number.isSafeInteger(seconds) ? BigInt(seconds) : seconds
  if (typeof whole !== 'bigint') required(`${path}.seconds`, 'bigint', seconds)
  if (typeof nanos !== 'number' || !Number.isInteger(nanos)) required(`${path}.nanos`, 'i32', nanos)
  return { seconds: whole, nanos }
}

function maskText(paths: unknown, path: string): string {
  if (paths === undefined || paths === null) return ''
  if (!Array.isArray(paths)) required(`${path}.paths`, 'array', paths)
  return (paths as unknown[])
    .map((one, position) => {
      const at = `${path}.paths[${position}]`
      if (typeof one !== 'string') required(at, 'string', one)
      // What cannot be told from lowerCamelCase again would come back as another path.
      if (/[A-Z]|_(?![a-z])/.test(one))
        throw new TapeTypeError(at, `JSON has no form for the path ${JSON.stringify(one)}`)
      return one.split('.').map(protoCamelCase).join('.')
    })
    .join(',')
}

function valueJson(writer: JsonWriter, known: Known, index: number, message: Fields, path: string): JsonValue {
  const struct = known.interpreter.schema.structs[index]
  const kind = propertiesOf(struct).find(isOneof)
  const given = message.kind as { readonly case?: unknown; readonly value?: unknown } | undefined
  const member = kind?.members.find(({ name }) => name === given?.case)
  if (member === undefined) throw new TapeTypeError(path, 'a google.protobuf.Value without a kind has no form in JSON')
  if (member.name === 'numberValue' && typeof given?.value === 'number' && !Number.isFinite(given.value)) {
    throw new TapeTypeError(path, `a google.protobuf.Value cannot be ${given.value} in JSON`)
  }
  return writer.value(known, member.field.type, given?.value, `${path}.kind.${member.name}`)
}

function anyJson(writer: JsonWriter, known: Known, message: Fields, path: string): JsonValue {
  const { typeUrl = '', value = new Uint8Array() } = message
  if (typeof typeUrl !== 'string') required(`${path}.typeUrl`, 'string', typeUrl)
  if (!(value instanceof Uint8Array)) required(`${path}.value`, 'Uint8Array', value)
  if (typeUrl === '' && value.length === 0) return {}
  const type = typeOf(known, writer.options.types, typeUrl, `${path}.typeUrl`)
  const json = writer.root(type, fromBinary(type, value))
  if (isWellKnown(type.name)) return { '@type': typeUrl, value: json }
  return { '@type': typeUrl, ...(json as object) }
}
