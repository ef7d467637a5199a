/** What a service has, for gateways and tools that know it at run time only: its methods, and the types of what they take and give. */
import type { MethodDescriptor, ThriftServiceDescriptor } from '../core/descriptor.js'
import { methodInfo, type MethodInfo } from '../core/method-info.js'
import { isOptional } from '../schema/interpret.js'
import type { Field, Method, Schema, Type } from '../schema/model.js'
import { interpreterOf } from '../schema/program.js'
import { enumOf, isRequired, successOf, typeName } from '../schema/types.js'

/** A type of the IDL. */
export interface TypeInfo {
  /** As it is written in the IDL: `i64`, `Item`, `map<string, list<Item>>`. */
  readonly name: string
  readonly kind: TypeKind
  /** Of a struct, union or exception, in the order of the IDL. */
  readonly fields: readonly FieldInfo[]
  /** Of an enum: its members by name. */
  readonly members: ReadonlyMap<string, number>
  /** Of a list, a set or a map: the type of its elements or values. */
  readonly element: TypeInfo | undefined
  /** Of a map. */
  readonly key: TypeInfo | undefined
}

/** What a type is. */
export type TypeKind =
  | 'bool'
  | 'i8'
  | 'i16'
  | 'i32'
  | 'i64'
  | 'double'
  | 'string'
  | 'binary'
  | 'uuid'
  | 'enum'
  | 'struct'
  | 'union'
  | 'exception'
  | 'list'
  | 'set'
  | 'map'

/** A field of a struct, or an argument of a method. */
export interface FieldInfo {
  readonly id: number
  readonly name: string
  readonly type: TypeInfo
  /** It has to be given: required fields without a default, and arguments unless they are optional. */
  readonly required: boolean
}

/** A method, and the types of what it takes and gives. */
export interface MethodTypes extends MethodInfo {
  /** One is given by itself, several as an object by name. */
  readonly parameters: readonly FieldInfo[]
  /** What it gives; none for void and oneway. */
  readonly result: TypeInfo | undefined
  /** Exceptions that it declares, by their names in its `throws`. */
  readonly exceptions: ReadonlyMap<string, TypeInfo>
}

/** Methods of a service, in the order of the IDL, inherited ones first. */
export interface Methods extends Iterable<MethodTypes> {
  /** A method by its name in the IDL (`GetItem`), or the one that clients have (`getItem`); undefined if there is none. */
  get(name: string): MethodTypes | undefined
}

/**
 * The methods of a service: which there are, and their types. Names that come from outside are safe to ask for.
 *
 * @example
 * const methods = methodsOf(ItemService)
 * const method = methods.get(request.url.slice(1))
 * if (method === undefined) return notFound()
 * const answer = await client[method.name](body)
 */
export function methodsOf(service: ThriftServiceDescriptor): Methods {
  const { schema } = interpreterOf(service.program)
  const all = Object.values<MethodDescriptor>(service.methods).map((method) => ({
    ...methodInfo(service, method),
    ...typesOf(schema, schema.methods[method.index]),
  }))
  const byName = new Map<string, MethodTypes>([
    ...all.map((method) => [method.name, method] as const),
    ...all.map((method) => [method.wireName, method] as const),
  ])
  return { get: (name) => byName.get(name), [Symbol.iterator]: () => all.values() }
}

function typesOf(schema: Schema, method: Method): Pick<MethodTypes, 'parameters' | 'result' | 'exceptions'> {
  const outcomes = method.result === undefined ? undefined : schema.structs[method.result]
  const success = outcomes === undefined ? undefined : successOf(outcomes)
  const declared = (outcomes?.fields ?? []).filter((field) => field !== success)
  return {
    parameters: schema.structs[method.args].fields.map((field) => fieldInfo(schema, field, !isOptional(field))),
    result: success === undefined ? undefined : new SchemaType(schema, success.type),
    exceptions: new Map(declared.map(({ name, type }) => [name, new SchemaType(schema, type)])),
  }
}

function fieldInfo(schema: Schema, { id, name, type }: Field, required: boolean): FieldInfo {
  return { id, name, type: new SchemaType(schema, type), required }
}

/** Looks its parts up when they are asked for: a struct may contain itself. */
class SchemaType implements TypeInfo {
  readonly name: string
  readonly kind: TypeKind
  readonly #schema: Schema
  readonly #type: Type

  constructor(schema: Schema, type: Type) {
    this.name = typeName(schema, type)
    this.kind = kindOf(schema, type)
    this.#schema = schema
    this.#type = type
  }

  get fields(): readonly FieldInfo[] {
    const type = this.#type
    if (typeof type !== 'object' || !('struct' in type)) return []
    return this.#schema.structs[type.struct].fields.map((field) =>
      fieldInfo(this.#schema, field, isRequired(field) && field.default === undefined),
    )
  }

  get members(): ReadonlyMap<string, number> {
    const type = this.#type
    if (typeof type !== 'object' || !('enum' in type)) return new Map()
    return new Map(enumOf(this.#schema, type.enum).members.map(({ name, value }) => [name, value]))
  }

  get element(): TypeInfo | undefined {
    const type = this.#type
    if (typeof type !== 'object') return undefined
    if ('list' in type) return new SchemaType(this.#schema, type.list)
    if ('set' in type) return new SchemaType(this.#schema, type.set)
    return 'map' in type ? new SchemaType(this.#schema, type.map[1]) : undefined
  }

  get key(): TypeInfo | undefined {
    const type = this.#type
    return typeof type === 'object' && 'map' in type ? new SchemaType(this.#schema, type.map[0]) : undefined
  }
}

function kindOf(schema: Schema, type: Type): TypeKind {
  if (typeof type === 'string') return type as TypeKind
  if ('enum' in type) return 'enum'
  if ('struct' in type) return schema.structs[type.struct].kind as TypeKind
  if ('list' in type) return 'list'
  return 'set' in type ? 'set' : 'map'
}
