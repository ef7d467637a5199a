/** Declarations: what TypeScript knows of a generated file. */
import { isOptional } from '../schema/interpret.js'
import type { Field, Method, Struct, Type } from '../schema/model.js'
import { isInherited } from '../schema/names.js'
import { enumOf, isRequired, kindOf, successOf } from '../schema/types.js'
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
    const services = this.module.entities.some(({ kind }) => kind === 'service')
    const imports = [
      ...(services ? ["import type { MethodDescriptor, ServiceDescriptor } from 'volo-js/generated'"] : []),
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
    const isValue = entity.kind === 'const' || entity.kind === 'service'
    return isValue ? `${exported}declare ` : exported
  }

  private interface(entity: Entity, struct: Struct): string[] {
    const members = indented(this.members(struct))
    const head = `${this.head(entity)}interface ${entity.name.local} {`
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
    return [
      ...docComment(struct.doc),
      `${this.head(entity)}type ${entity.name.local} =`,
      ...cases,
      '  /** A case that this IDL does not know. It can be read, not written. */',
      '  | { case: undefined; value?: undefined }',
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
    if (omitted.length === 0) {
      return [
        ...docComment(struct.doc),
        `${head}declare class ${local} extends Error {`,
        `  constructor(${parameter})`,
        ...indented(this.members(struct, there)),
        '}',
      ]
    }
    const keys = omitted.map(quote).join(' | ')
    return [
      ...docComment(struct.doc),
      `${head}interface ${local} extends Omit<Error, ${keys}> {`,
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
    const { doc, members } = enumOf(this.project.schema, entity.index)
    const { local } = entity.name
    const head = this.head(entity)
    return [
      ...docComment(doc),
      `${head}declare const ${local}: {`,
      ...members.flatMap((member) => [
        ...docComment(member.doc, '  '),
        `  readonly ${memberName(member.name)}: ${member.value}`,
      ]),
      '}',
      ...docComment(doc),
      `${head}type ${local} = ${members.length === 0 ? 'number' : `(typeof ${local})[keyof typeof ${local}]`}`,
    ]
  }

  private service(entity: Entity): string[] {
    const { schema } = this.project
    const service = schema.services[entity.index]
    const methods = service.methods.flatMap((index) => {
      const method = schema.methods[index]
      const types = `MethodDescriptor<${this.request(method)}, ${this.response(method)}>`
      return [...docComment(method.doc), `${memberName(this.project.methodName(index))}: ${types}`]
    })
    const head = `${this.head(entity)}const ${entity.name.local}: ServiceDescriptor<{`
    return [
      ...docComment(service.doc),
      ...(methods.length === 0 ? [`${head}}, 'thrift'>`] : [head, ...indented(methods), "}, 'thrift'>"]),
    ]
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

  private type(type: Type): string {
    switch (kindOf(this.project.schema, type)) {
      case 'bool':
        return 'boolean'
      case 'i64':
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
        return this.compound(type as Exclude<Type, string>)
      default:
        return 'number'
    }
  }

  private compound(type: Exclude<Type, string>): string {
    if ('enum' in type) return this.reference(...this.project.enum(type.enum))
    if ('struct' in type) return this.reference(...this.project.struct(type.struct))
    if ('list' in type) return `${this.type(type.list)}[]`
    if ('set' in type) return `Set<${this.type(type.set)}>`
    const [key, value] = type.map
    const record = kindOf(this.project.schema, type) === 'record'
    return `${record ? 'Record' : 'Map'}<${this.type(key)}, ${this.type(value)}>`
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
