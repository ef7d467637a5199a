/** Printers of what a file has beside codecs: enums and exception classes. */
import { storageOf } from '../schema/exceptions.js'
import { membersOf } from '../schema/message.js'
import { isInherited } from '../schema/names.js'
import { enumOf, isProtobuf } from '../schema/types.js'
import { take } from './print-write.js'
import type { Entity, Project } from './project.js'
import { access, literalKey, quote } from './text.js'

/** The constant object of an enum. */
export function printEnum(project: Project, entity: Entity): string[] {
  const members = membersOf(enumOf(project.schema, entity.index), isProtobuf(project.schema))
  return [
    `const ${entity.name.local} = {`,
    ...members.map(({ name, value }) => `  ${literalKey(name)}: ${value},`),
    '}',
  ]
}

/** The class of an exception. */
export function printException(project: Project, entity: Entity): string[] {
  const struct = project.schema.structs[entity.index]
  const assignments = struct.fields.flatMap(({ name }) => {
    const value = take('fields', name, false)
    switch (storageOf(struct, name)) {
      case 'message':
        return []
      case 'own':
        return [`    ${access('this', name)} = ${value}`]
      case 'inherited':
        return [`    if (${value} !== undefined) $.define(this, ${quote(name)}, ${value})`]
    }
  })
  const hasMessage = struct.fields.some(({ name }) => storageOf(struct, name) === 'message' && !isInherited(name))
  return [
    `class ${entity.name.local} extends Error {`,
    '  constructor(fields = {}) {',
    `    super(${hasMessage ? 'fields.message' : ''})`,
    ...assignments,
    '  }',
    '}',
    `$.nameException(${entity.name.local}, ${quote(struct.name)})`,
  ]
}
