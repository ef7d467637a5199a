/** Declarations: what TypeScript knows of a generated file. */
import { isOptional } from '../schema/interpret.js'
import { membersOf } from '../schema/message.js'
import type { Field, Method, Struct, Type } from '../schema/model.js'
import { isInherited } from '../schema/names.js'
import {
  enumOf,
  isProtobuf,
  isRequired,
  keepsUnknown,
  kindOf,
  responseOf,
  shapeOf,
  successOf,
} from '../schema/types.js'
import { messageInit, messageInterface, withDeprecation } from './declare-message.js'
import type { Entity, Module, Project } from './project.js'
import { docComment, indented, memberName, quote } from './text.js'

/** Declarations of one file while they are being written. */
export class Declarations {
  private readonly imports = new Map<Module, string>()

  constructor(
    private readonly project: Project,
    private readonly module: Module,
  ) {}

  /** All lines below the header. */
  print(): string[] {
    const blocks = this.module.entities.map((entity) => this.entity(entity))
    const renamed = this.module.entities.filter(({ name }) => name.local !== name.exported)
    const exports = renamed.map(({ name, space }) => {
      const what = space.value ? 'export' : 'export type'
      return `${what} { ${name.local} as ${name.exported} }`
    })
    const imports = [
      ...runtimeImports(blocks),
      ...this.project.modules.flatMap((module) => {
        const local = this.imports.get(module)
        return local === undefined ? [] : [`import type * as ${local} from './${module.base}.js'`]
      }),
    ]
    const parts = [imports, ...blocks, exports].filter((part) => part.length > 0)
    // Without an export of its own a file is no module.
    if (this.module.entities.length === 0) parts.push(['export {}'])
    return parts.flatMap((part, index) => (index === 0 ? part : ['', ...part]))
  }

  private entity(entity: Entity): string[] {
    const { schema } = this.project
    switch (entity.kind) {
      case 'message': {
        const head = `${this.head(entity)}interface ${entity.name.local}`
        return messageInterface(head, schema.structs[entity.index], (type) => this.type(type))
      }
      case 'messageInit': {
        const head = `${this.head(entity)}interface ${entity.name.local}`
        return messageInit(head, schema.structs[entity.index], (type) => this.type(type, true))
      }
      case 'messageSchema': {
        const types = [this.project.struct(entity.index), this.project.messageInit(entity.index)]
        const both = types.map(([module, type]) => this.reference(module, type)).join(', ')
        return [`${this.head(entity)}const ${entity.name.local}: MessageDescriptor<${both}>`]
      }
      case 'struct':
        return this.interface(entity, schema.structs[entity.index])
      case 'union':
        return this.union(entity, schema.structs[entity.index])
      case 'exception':
        return this.exception(entity, schema.structs[entity.index])
      case 'enum':
        return this.enum(entity)
      case 'typedef': {
        const typedef = required(schema.typedefs?.[entity.index])
        return [
          ...docComment(typedef.doc),
          `${this.head(entity)}type ${entity.name.local} = ${this.type(typedef.type)}`,
        ]
      }
      case 'const': {
        const constant = required(schema.consts?.[entity.index])
        return [
          ...docComment(constant.doc),
          `${this.head(entity)}const ${entity.name.local}: ${this.type(constant.type)}`,
        ]
      }
      case 'service':
        return this.service(entity)
    }
  }

  /** `export` unless the name is exported under another one at the end; `declare` for values. */
  private head(entity: Entity): string {
    const exported = entity.name.local === entity.name.exported ? 'export ' : ''
    const isValue = entity.space.value && !entity.space.type
    return isValue ? `${exported}declare ` : exported
  }

  private interface(entity: Entity, struct: Struct): string[] {
    const members = indented(this.members(struct))
    const base = keepsUnknown(struct) ? ' extends UnknownFields' : ''
    const head = `${this.head(entity)}interface ${entity.name.local}${base} {`
    return [...docComment(struct.doc), ...(members.length === 0 ? [`${head}}`] : [head, ...members, '}'])]
  }

  private members(struct: Struct, alwaysThere: (field: Field) => boolean = isRequired): string[] {
    return struct.fields.flatMap((field) => [...docComment(field.doc), this.member(field, alwaysThere(field))])
  }

  private member(field: Field, alwaysThere: boolean): string {
    const type = this.type(field.type)
    return alwaysThere ? `${memberName(field.name)}: ${type}` : `${memberName(field.name)}?: ${type} | undefined`
  }

  private union(entity: Entity, struct: Struct): string[] {
    const cases = struct.fields.flatMap((field) => [
      ...docComment(field.doc, '  '),
      `  | { case: ${quote(field.name)}; value: ${this.type(field.type)} }`,
    ])
    const keeps = keepsUnknown(struct)
    return [
      ...docComment(struct.doc),
      `${this.head(entity)}type ${entity.name.local} =${keeps ? ' UnknownFields & (' : ''}`,
      ...cases,
      keeps
        ? '  /** A case that this IDL does not know. It is in `$unknown`, and written back. */'
        : '  /** A case that this IDL does not know. It can be read, not written. */',
      '  | { case: undefined; value?: undefined }',
      ...(keeps ? [')'] : []),
    ]
  }

  private exception(entity: Entity, struct: Struct): string[] {
    const { local } = entity.name
    const head = this.head(entity)
    const optional = struct.fields.every((field) => !isRequired(field))
    const fields = this.fieldsType(struct)
    const parameter = `fields${optional ? '?' : ''}: ${fields}`
    const omitted = struct.fields.map(({ name }) => name).filter((name) => clashes(struct, name))
    const there = (field: Field): boolean => isRequired(field) || isOfError(field)
    const keeps = keepsUnknown(struct)
    if (omitted.length === 0) {
      return [
        ...docComment(struct.doc),
        `${head}declare class ${local} extends Error {`,
        `  constructor(${parameter})`,
        ...indented(this.members(struct, there)),
        ...(keeps ? ["  $unknown?: UnknownFields['$unknown']"] : []),
        '}',
      ]
    }
    const keys = omitted.map(quote).join(' | ')
    return [
      ...docComment(struct.doc),
      `${head}interface ${local} extends Omit<Error, ${keys}>${keeps ? ', UnknownFields' : ''} {`,
      ...indented(this.members(struct, there)),
      '}',
      `${head}declare const ${local}: new (${parameter}) => ${local}`,
    ]
  }

  private fieldsType(struct: Struct): string {
    if (struct.fields.length === 0) return 'Record<string, never>'
    return objectType(struct.fields.map((field) => this.member(field, isRequired(field))))
  }

  private enum(entity: Entity): string[] {
    const declared = enumOf(this.project.schema, entity.index)
    const protobuf = isProtobuf(this.project.schema)
    const members = membersOf(declared, protobuf)
    const doc = docComment(withDeprecation(declared.doc, declared.annotations))
    const { local } = entity.name
    const head = this.head(entity)
    // `number & {}` is any number, but does not swallow the members, which editors go on to offer.
    const open = protobuf && declared.closed !== true ? ' | (number & {})' : ''
    return [
      ...doc,
      `${head}declare const ${local}: {`,
      ...members.flatMap((member) => [
        ...docComment(member.doc, '  '),
        `  readonly ${memberName(member.name)}: ${member.value}`,
      ]),
      '}',
      ...doc,
      `${head}type ${local} = ${members.length === 0 ? 'number' : `(typeof ${local})[keyof typeof ${local}]${open}`}`,
    ]
  }

  private service(entity: Entity): string[] {
    const { schema } = this.project
    const service = schema.services[entity.index]
    const protobuf = isProtobuf(schema)
    const methods = service.methods.flatMap((index) => {
      const method = schema.methods[index]
      const types = protobuf ? this.grpcMethod(method) : this.thriftMethod(method)
      const doc = docComment(withDeprecation(method.doc, method.annotations))
      return [...doc, `${memberName(this.project.methodName(index))}: ${types}`]
    })
    const head = `${this.head(entity)}const ${entity.name.local}: ServiceDescriptor<{`
    const end = `}, ${protobuf ? "'grpc'" : "'thrift'"}>`
    return [
      ...docComment(withDeprecation(service.doc, service.annotations)),
      ...(methods.length === 0 ? [`${head}${end}`] : [head, ...indented(methods), end]),
    ]
  }

  private grpcMethod(method: Method): string {
    const messages = [method.args, responseOf(method)].map(
      (index) => `typeof ${this.reference(...this.project.messageSchema(index))}`,
    )
    return `GrpcMethodDescriptor<${[quote(shapeOf(method)), ...messages].join(', ')}>`
  }

  private thriftMethod(method: Method): string {
    return `MethodDescriptor<${this.request(method)}, ${this.response(method)}>`
  }

  private request(method: Method): string {
    const { fields } = this.project.schema.structs[method.args]
    if (fields.length === 0) return 'Record<string, never>'
    if (fields.length > 1) return objectType(fields.map((field) => this.member(field, !isOptional(field))))
    const type = this.type(fields[0].type)
    return isOptional(fields[0]) ? `${type} | undefined` : type
  }

  private response(method: Method): string {
    if (method.result === undefined) return 'void'
    const success = successOf(this.project.schema.structs[method.result])
    return success === undefined ? 'void' : this.type(success.type)
  }

  /** A type as it is read; `init` asks for what may be written, where parts of messages may be left out and nothing is changed. */
  private type(type: Type, init = false): string {
    switch (kindOf(this.project.schema, type)) {
      case 'bool':
        return 'boolean'
      case 'i64':
      case 'sint64':
      case 'sfixed64':
      case 'uint64':
      case 'fixed64':
        return this.project.int64
      case 'string':
      case 'uuid':
        return 'string'
      case 'binary':
        return 'Uint8Array'
      case 'enum':
      case 'struct':
      case 'union':
      case 'list':
      case 'set':
      case 'map':
      case 'record':
        return this.compound(type as Exclude<Type, string>, init)
      default:
        return 'number'
    }
  }

  private compound(type: Exclude<Type, string>, init: boolean): string {
    if ('enum' in type) return this.reference(...this.project.enum(type.enum))
    if ('struct' in type) {
      return this.reference(...(init ? this.project.messageInit(type.struct) : this.project.struct(type.struct)))
    }
    if ('list' in type) return `${init ? 'readonly ' : ''}${this.type(type.list, init)}[]`
    if ('set' in type) return `Set<${this.type(type.set, init)}>`
    const [key, value] = type.map
    const both = `${this.type(key, init)}, ${this.type(value, init)}`
    if (kindOf(this.project.schema, type) === 'map') return `${init ? 'ReadonlyMap' : 'Map'}<${both}>`
    return init ? `Readonly<Record<${both}>>` : `Record<${both}>`
  }

  private reference(module: Module, { name }: Entity): string {
    if (module === this.module) return name.local
    let local = this.imports.get(module)
    if (local === undefined) {
      local = this.module.identifiers.hidden(module.base.replace(/[^A-Za-z0-9_]/g, '_'))
      this.imports.set(module, local)
    }
    return `${local}.${name.exported}`
  }
}

/** What declarations take from the package. */
function runtimeImports(blocks: readonly string[][]): string[] {
  const text = blocks.flat().join('\n')
  const names = [
    'GrpcMethodDescriptor',
    'MessageDescriptor',
    'MethodDescriptor',
    'ServiceDescriptor',
    'UnknownFields',
  ].filter((name) => new RegExp(`\\b${name}\\b`).test(text))
  return names.length === 0 ? [] : [`import type { ${names.join(', ')} } from 'volo-js/generated'`]
}

/** Width from which on an object's type takes a line a member. */
const WIDE = 80

/** The type of an object, on one line if it is short. */
function objectType(members: readonly string[]): string {
  const line = `{ ${members.join('; ')} }`
  return line.length <= WIDE ? line : `{\n${indented(members).join('\n')}\n}`
}

/** True for a field that is there even if the peer left it out: Error has an empty message, and its class a name. */
function isOfError({ name, type }: Field): boolean {
  return type === 'string' && (name === 'message' || name === 'name')
}

/** True for a field that cannot be a member of a class that extends Error: its type is another one there. */
function clashes(struct: Struct, name: string): boolean {
  if (isInherited(name) || name === 'stack') return true
  const field = struct.fields.find((candidate) => candidate.name === name)
  return (name === 'message' || name === 'name') && field?.type !== 'string'
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new RangeError('the schema has no such entry')
  return value
}
