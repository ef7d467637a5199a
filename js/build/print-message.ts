/** Printers of Protobuf messages: their readers, their writers, their descriptors. */
import { absenceOf, isOneof, propertiesOf, type MessageField, type MessageOneof } from '../schema/message.js'
import type { Type } from '../schema/model.js'
import { kindOf, presenceSlots, structName, tapeFields } from '../schema/types.js'
import { Slot, type Code } from './code.js'
import {
  defaultExpression,
  presenceTest,
  readExpression,
  structReader,
  unknownStatement,
  withPresence,
} from './print-read.js'
import { presenceStatements, unknownStatements, writeStatements } from './print-write.js'
import type { Entity } from './project.js'
import { access, indented, literalKey, quote } from './text.js'

/** The constant that is a message's descriptor. */
export function printMessageSchema(code: Code, entity: Entity): string[] {
  const { index } = entity
  return [
    `const ${entity.name.local} = {`,
    `  name: ${quote(code.project.schema.structs[index].name)},`,
    '  program: $program,',
    `  index: ${index},`,
    `  read: ${structReader(code, index)},`,
    '  write(t, v) {',
    '    try {',
    `      return ${messageWriter(code, index)}(t, v)`,
    '    } catch (failure) {',
    `      throw $.explain(failure, $program, ${index}, 'message', v)`,
    '    }',
    '  },',
    '}',
  ]
}

/** The body of the function that reads a message. */
export function readMessage(code: Code, index: number): string[] {
  const { schema } = code.project
  const struct = schema.structs[index]
  const message = structName(schema, index)
  const first = presenceSlots(struct)
  const slotOf = (position: number): Slot => new Slot('p', first + position)
  const read = ({ position, field, name }: MessageField): string =>
    readExpression(code, field.type, slotOf(position), `${message}.${name}`)
  const given: string[] = []
  const later: string[] = []
  const properties = propertiesOf(struct).flatMap((property) => {
    const key = literalKey(property.name)
    if (isOneof(property)) return [`  ${key}: ${oneofExpression(property, message, code, slotOf)},`]
    const { field, position, name } = property
    const test = presenceTest(position)
    switch (absenceOf(field)) {
      case 'given':
        given.push(`[${quote(name)}, () => ${defaultExpression(code, field)}],`)
        later.push(`if (${test}) ${access('v', name)} = ${read(property)}`)
        return []
      case 'never':
        return [`  ${key}: ${test} ? ${read(property)} : $.absent(${quote(`${message}.${name}`)}, 'value'),`]
      case 'zero':
        return [`  ${key}: ${test} ? ${read(property)} : ${zero(code, field.type)},`]
      case 'undefined':
        return [`  ${key}: ${test} ? ${read(property)} : undefined,`]
    }
  })
  const prototype = given.length === 0 ? [] : [`  __proto__: ${defaultsOf(code, index, given)},`]
  const all = [...prototype, ...properties]
  const body = [
    ...(all.length === 0 ? ['const v = {}'] : ['const v = {', ...all, '}']),
    ...later,
    unknownStatement(struct, 'p'),
    'return v',
  ]
  return withPresence(body, 'p', 2 * first)
}

function oneofExpression(
  { name, members }: MessageOneof,
  message: string,
  code: Code,
  slotOf: (position: number) => Slot,
): string {
  const cases = members.map((member) => {
    const path = `${message}.${name}.${member.name}`
    const value = readExpression(code, member.field.type, slotOf(member.position), path)
    return `${presenceTest(member.position)} ? { case: ${quote(member.name)}, value: ${value} }`
  })
  return [...cases, '{ case: undefined, value: undefined }'].join('\n    : ')
}

/** The local name of the prototype that gives a message its defaults. */
function defaultsOf(code: Code, index: number, given: readonly string[]): string {
  const wish = `defaultsOf${code.nameOf({ struct: index })}`
  return code.function(`defaults ${index}`, wish, (name) => [`const ${name} = $.defaults([`, ...indented(given), '])'])
}

/** What a field without presence of its own is while it is absent. */
function zero(code: Code, type: Type): string {
  switch (kindOf(code.project.schema, type)) {
    case 'bool':
      return 'false'
    case 'i64':
    case 'sint64':
    case 'sfixed64':
    case 'uint64':
    case 'fixed64':
      return code.project.int64 === 'bigint' ? '0n' : '0'
    case 'string':
      return "''"
    case 'binary':
      return 'new Uint8Array()'
    case 'list':
      return '[]'
    case 'map':
      return 'new Map()'
    case 'record':
      return '{}'
    case 'struct':
      return 'undefined'
    default:
      return '0'
  }
}

/** The local name of the function that lays a message and returns its first slot. */
export function messageWriter(code: Code, index: number): string {
  const [module] = code.project.struct(index)
  const wish = `write${code.nameOf({ struct: index })}`
  return code.from(module, wish, (owner) =>
    owner.function(`write struct ${index}`, wish, (local) => printWriter(owner, index, local)),
  )
}

function printWriter(code: Code, index: number, name: string): string[] {
  const { schema } = code.project
  const struct = schema.structs[index]
  const message = structName(schema, index)
  const first = presenceSlots(struct)
  const words = Array.from({ length: 2 * first }, (_, word) => `bits${word}`)
  const recursive = code.project.recursive.has(index)
  const body = [
    ...(recursive ? [`if (++t.depth > t.maxDepth) $.tooDeep(${quote(message)}, t.maxDepth)`] : []),
    `if (typeof v !== 'object' || v === null) $.required(${quote(message)}, 'struct', v)`,
    `const q = t.alloc(${first + tapeFields(struct)})`,
    ...words.map((word) => `let ${word} = 0`),
    ...propertiesOf(struct).flatMap((property) =>
      isOneof(property) ? writeOneof(code, property, message, first) : writeField(code, property, message, first),
    ),
    ...unknownStatements(struct, message),
    `if ((${words.join(' | ')}) === 0) $.checkEmpty(${quote(message)}, 'struct', v)`,
    ...presenceStatements('q', words),
    ...(recursive ? ['t.depth--'] : []),
    'return q',
  ]
  return [`function ${name}(t, v) {`, ...indented(body), '}']
}

function mark(position: number): string {
  return `bits${position >> 5} |= ${1 << (position & 31)}`
}

function writeField(code: Code, property: MessageField, message: string, first: number): string[] {
  const { name, position, field } = property
  const value = `f${position}`
  const path = `${message}.${name}`
  const slot = new Slot('q', first + position)
  const absence = absenceOf(field)
  const write = writeStatements(code, field.type, slot, value, path)
  const marked =
    absence === 'zero' ? `if (${nonZero(code, field.type, slot, value)}) ${mark(position)}` : mark(position)
  // A default is inherited where there is no value.
  const taken = absence === 'given' ? `$.own(v, ${quote(name)})` : access('v', name)
  return [
    `const ${value} = ${taken}`,
    `if (${value} !== undefined && ${value} !== null) {`,
    ...indented([...write, marked]),
    `}${absence === 'never' ? ` else $.absent(${quote(path)}, 'value')` : ''}`,
  ]
}

/** Whether a value that was written is another one than an absent field is read as. */
function nonZero(code: Code, type: Type, slot: Slot, value: string): string {
  switch (kindOf(code.project.schema, type)) {
    case 'bool':
      return value
    case 'float':
    case 'double':
      // Minus zero is another value.
      return `!Object.is(${value}, 0)`
    case 'i64':
    case 'sint64':
    case 'sfixed64':
    case 'uint64':
    case 'fixed64':
      return `${value} !== ${code.project.int64 === 'bigint' ? '0n' : '0'}`
    case 'string':
      return `${value} !== ''`
    case 'binary':
    case 'list':
      return `${value}.length !== 0`
    case 'map':
      return `${value}.size !== 0`
    case 'record':
      // The writer has counted the keys.
      return `t.i32[${slot.half(1)}] !== 0`
    case 'struct':
      return 'true'
    default:
      return `${value} !== 0`
  }
}

function writeOneof(code: Code, { name, members }: MessageOneof, message: string, first: number): string[] {
  const path = `${message}.${name}`
  const value = `f${members[0].position}`
  const cases = members.flatMap((member) => {
    const slot = new Slot('q', first + member.position)
    return [
      `case ${quote(member.name)}:`,
      ...indented([
        ...writeStatements(code, member.field.type, slot, 'e', `${path}.${member.name}`),
        mark(member.position),
        'break',
      ]),
    ]
  })
  return [
    `const ${value} = ${access('v', name)}`,
    `if (${value} !== undefined && ${value} !== null) {`,
    `  if (typeof ${value} !== 'object') $.required(${quote(path)}, 'oneof', ${value})`,
    `  const k = ${value}.case`,
    `  const e = ${value}.value`,
    '  switch (k) {',
    ...indented(indented(cases)),
    '    case undefined:',
    '      break',
    '    default:',
    `      $.noMember(${quote(path)}, k)`,
    '  }',
    '}',
  ]
}
