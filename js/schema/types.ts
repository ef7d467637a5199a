/** Questions about types that readers, writers and declarations ask. */
import type { MethodShape } from '../core/descriptor.js'
import { withoutPackage } from './message.js'
import type { Field, Method, Scalar, Schema, Struct, Type } from './model.js'

/** Kinds of types, flat, so that one `switch` covers them. */
export type Kind = Scalar | Compound
type Compound = 'enum' | 'struct' | 'union' | 'list' | 'set' | 'map' | 'record'

/** What a type is in JavaScript: a map with textual keys is a `record` (a plain object), any other a `map`. */
export function kindOf(schema: Schema, type: Type): Kind {
  if (typeof type === 'string') return type
  if ('enum' in type) return 'enum'
  if ('struct' in type) return schema.structs[type.struct].kind === 'union' ? 'union' : 'struct'
  if ('list' in type) return 'list'
  if ('set' in type) return 'set'
  return type.map[0] === 'string' || type.map[0] === 'uuid' ? 'record' : 'map'
}

/** True for integers of 64 bits. */
export function isLong(kind: Kind): boolean {
  return kind.endsWith('64')
}

/** True for integers without a sign. */
export function isUnsigned(kind: Kind): boolean {
  return kind.startsWith('uint') || kind.startsWith('fixed')
}

/** True for a struct that keeps the fields that the schema does not know, in `$unknown`: every message of Protobuf. */
export function keepsUnknown({ kind, keep_unknown: keeps }: Struct): boolean {
  return kind === 'message' || keeps === true
}

/** Fields a struct has on the tape: one more, behind the others, where it keeps what the schema does not know: a binary. */
export function tapeFields(struct: Struct): number {
  return keepsUnknown(struct) ? struct.fields.length + 1 : struct.fields.length
}

/** Presence slots a struct begins with. */
export function presenceSlots(struct: Struct): number {
  return Math.max(1, Math.ceil(tapeFields(struct) / 64))
}

/** True if the wire cannot lack the field: a reader need not look at its presence bit. */
export function isRequired(field: Field): boolean {
  return field.requiredness === 'required'
}

/** What a type is called in messages: `GetItemRequest`, `list<i64>`. */
export function typeName(schema: Schema, type: Type): string {
  if (typeof type === 'string') return type
  if ('enum' in type) {
    const { name, file } = enumOf(schema, type.enum)
    return withoutPackage(schema, name, file)
  }
  if ('struct' in type) return structName(schema, type.struct)
  if ('list' in type) return `list<${typeName(schema, type.list)}>`
  if ('set' in type) return `set<${typeName(schema, type.set)}>`
  return `map<${typeName(schema, type.map[0])}, ${typeName(schema, type.map[1])}>`
}

/** What a struct is called in messages: its name without a package. */
export function structName(schema: Schema, index: number): string {
  const { name, file } = schema.structs[index]
  return withoutPackage(schema, name, file)
}

/** An enum of a schema. */
export function enumOf(schema: Schema, index: number): NonNullable<Schema['enums']>[number] {
  const found = schema.enums?.[index]
  if (found === undefined) throw new RangeError(`the schema has no enum ${index}`)
  return found
}

/** The field of a result struct that holds the value; none for void. */
export function successOf(result: Struct): Field | undefined {
  return result.fields.find((field) => field.id === 0 && field.name === 'success')
}

/** Where the value of an argument, a result or an exception stands in messages. */
export function rootPath(
  schema: Schema,
  method: Method,
  field: Field,
  part: 'argument' | 'success' | 'exception',
): string {
  const { type } = field
  const named = typeof type === 'object' && 'struct' in type
  const { fields } = schema.structs[method.args]
  if (part === 'argument') {
    return named && fields.length === 1
      ? schema.structs[type.struct].name
      : `${methodName(schema, method)}(${field.name})`
  }
  if (named) return schema.structs[type.struct].name
  return `${methodName(schema, method)} result`
}

/** True for a schema made from Protobuf IDL. */
export function isProtobuf({ structs, descriptors, files }: Schema): boolean {
  return (
    descriptors !== undefined ||
    structs.some(({ kind }) => kind === 'message') ||
    (structs.length === 0 && (files ?? []).some(({ path }) => path.endsWith('.proto')))
  )
}

/** Which sides of a method of gRPC are streams. */
export function shapeOf({ client_streaming: client, server_streaming: server }: Method): MethodShape {
  if (client === true) return server === true ? 'bidiStream' : 'clientStream'
  return server === true ? 'serverStream' : 'unary'
}

/** Where a method of gRPC is found: `/package.Service/Method`. */
export function pathOf(schema: Schema, method: Method): string {
  return `/${schema.services[method.service].name}/${method.name}`
}

/** The struct of a method's response. */
export function responseOf(method: Method): number {
  if (method.result === undefined) throw new RangeError(`the schema has no response of ${method.name}`)
  return method.result
}

/** `ItemService.GetItem`. */
export function methodName(schema: Schema, method: Method): string {
  return `${schema.services[method.service].name}.${method.name}`
}

/** Structs that contain themselves, at any distance: only these can form cycles. */
export function recursiveStructs(schema: Schema): ReadonlySet<number> {
  const successors = schema.structs.map((struct) => {
    const found = new Set<number>()
    for (const field of struct.fields) collect(field.type, found)
    return found
  })
  const recursive = new Set<number>()
  for (let start = 0; start < successors.length; start++) {
    const seen = new Set<number>()
    const todo = [...successors[start]]
    for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
      if (next === start) {
        recursive.add(start)
        break
      }
      if (seen.has(next)) continue
      seen.add(next)
      todo.push(...successors[next])
    }
  }
  return recursive
}

function collect(type: Type, into: Set<number>): void {
  if (typeof type === 'string' || 'enum' in type) return
  if ('struct' in type) into.add(type.struct)
  else if ('list' in type) collect(type.list, into)
  else if ('set' in type) collect(type.set, into)
  else type.map.forEach((part) => collect(part, into))
}
