/** Printers of services: descriptors with their methods. */
import { literal } from '../schema/literal.js'
import { argumentPath, isOptional } from '../schema/interpret.js'
import { withoutPackage } from '../schema/message.js'
import type { Field, Method, Struct } from '../schema/model.js'
import {
  isProtobuf,
  methodName,
  pathOf,
  presenceSlots,
  responseOf,
  rootPath,
  shapeOf,
  successOf,
  tapeFields,
} from '../schema/types.js'
import { Slot, type Code } from './code.js'
import { printLiteral } from './print-literal.js'
import { fieldExpression, presenceTest, readExpression, withPresence } from './print-read.js'
import { onlyBit, presenceStatements, take, writeStatements } from './print-write.js'
import { scriptName, type Entity } from './project.js'
import { indented, literalKey, quote } from './text.js'

/** The constant that is a service. */
export function printService(code: Code, entity: Entity): string[] {
  const service = code.project.schema.services[entity.index]
  const methods = service.methods.map((index) => {
    const wish = methodWish(code, index)
    const local = code.from(code.project.moduleOfMethod(index), wish, (owner) =>
      owner.function(`method ${index}`, wish, (name) => printMethod(owner, index, name)),
    )
    return `    ${literalKey(code.project.methodName(index))}: ${local},`
  })
  return [
    `const ${entity.name.local} = {`,
    `  name: ${quote(service.name)},`,
    `  protocol: ${isProtobuf(code.project.schema) ? "'grpc'" : "'thrift'"},`,
    '  program: $program,',
    `  index: ${entity.index},`,
    ...(methods.length === 0 ? ['  methods: {},'] : ['  methods: {', ...methods, '  },']),
    '}',
  ]
}

function methodWish(code: Code, index: number): string {
  const { name, service } = code.project.schema.methods[index]
  const { schema } = code.project
  const { name: its, file } = schema.services[service]
  return `${scriptName(withoutPackage(schema, its, file))}$${name}`
}

function printMethod(code: Code, index: number, name: string): string[] {
  const { schema } = code.project
  const method = schema.methods[index]
  const annotations = Object.entries(method.annotations ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${literalKey(key)}: ${quote(value)}`)
  return [
    `const ${name} = {`,
    `  name: ${quote(code.project.methodName(index))},`,
    `  wireName: ${quote(method.name)},`,
    `  index: ${index},`,
    `  oneway: ${method.oneway ?? false},`,
    `  idempotent: ${method.annotations?.idempotent === 'true'},`,
    `  annotations: {${annotations.length === 0 ? '' : ` ${annotations.join(', ')} `}},`,
    ...(isProtobuf(schema) ? grpcMembers(code, method) : thriftMembers(code, method, index)),
    '}',
  ]
}

/** What a method of gRPC has more, and its codecs: those of its messages. */
function grpcMembers(code: Code, method: Method): string[] {
  const { schema } = code.project
  const input = code.messageSchema(method.args)
  const output = code.messageSchema(responseOf(method))
  return [
    `  kind: ${quote(shapeOf(method))},`,
    `  path: ${quote(pathOf(schema, method))},`,
    `  input: ${input},`,
    `  output: ${output},`,
    `  readArgs: ${input}.read,`,
    `  writeArgs: ${input}.write,`,
    `  readResult: ${output}.read,`,
    `  writeResult: ${output}.write,`,
    '  writeException: () => false,',
  ]
}

function thriftMembers(code: Code, method: Method, index: number): string[] {
  return [
    ...member('readArgs(t, p)', readArgs(code, method)),
    ...member('writeArgs(t, v)', guarded(index, "'args'", 'v', writeArgs(code, method))),
    ...member('readResult(t, p)', readResult(code, method)),
    ...member('writeResult(t, v)', writeResult(code, method, index)),
    ...member('writeException(t, error)', writeException(code, method, index)),
  ]
}

function member(signature: string, body: readonly string[]): string[] {
  return body.length === 0 ? [`  ${signature} {},`] : [`  ${signature} {`, ...body.map((line) => `    ${line}`), '  },']
}

/** Statements whose errors get the whole path of the wrong value. */
function guarded(index: number, part: string, value: string, body: readonly string[]): string[] {
  return [
    'try {',
    ...indented(body),
    '} catch (failure) {',
    `  throw $.explain(failure, $program, ${index}, ${part}, ${value})`,
    '}',
  ]
}

function readArgs(code: Code, method: Method): string[] {
  const { schema } = code.project
  const struct = schema.structs[method.args]
  const { fields } = struct
  if (fields.length === 0) return ['return {}']
  const values = fields.map((field, position) => {
    if (isOptional(field)) return fieldExpression(code, struct, position, 'p')
    const path = fields.length === 1 ? rootPath(schema, method, field, 'argument') : argumentPath(schema, method, field)
    const slot = new Slot('p', presenceSlots(struct) + position)
    const read = readExpression(code, field.type, slot, `${struct.name}.${field.name}`)
    return `${presenceTest(position)} ? ${read} : $.absent(${quote(path)}, 'argument')`
  })
  const body =
    fields.length === 1
      ? [`return ${values[0]}`]
      : ['return {', ...fields.map((field, position) => `  ${literalKey(field.name)}: ${values[position]},`), '}']
  return withPresence(body, 'p', 2 * presenceSlots(struct))
}

function writeArgs(code: Code, method: Method): string[] {
  const { schema } = code.project
  const struct = schema.structs[method.args]
  const { fields } = struct
  const first = presenceSlots(struct)
  const alloc = `const q = t.alloc(${first + tapeFields(struct)})`
  const none = onlyBit(struct, -1)
  if (fields.length === 0) return [alloc, ...presenceStatements('q', none)]
  if (fields.length === 1) {
    const [field] = fields
    const path = rootPath(schema, method, field, 'argument')
    const write = writeStatements(code, field.type, new Slot('q', first), 'v', path)
    const present = presenceStatements('q', onlyBit(struct, 0))
    if (!isOptional(field)) return [alloc, ...write, ...present]
    return [
      alloc,
      'if (v === undefined || v === null) {',
      ...indented(presenceStatements('q', none)),
      '} else {',
      ...indented([...write, ...present]),
      '}',
    ]
  }
  const words = Array.from({ length: 2 * first }, (_, word) => `bits${word}`)
  return [
    `if (typeof v !== 'object' || v === null) $.required(${quote(methodName(schema, method))}, 'struct', v)`,
    alloc,
    ...words.map((word) => `let ${word} = 0`),
    ...fields.flatMap((field, position) => writeArgument(code, method, struct, field, position)),
    ...presenceStatements('q', words),
  ]
}

function writeArgument(code: Code, method: Method, struct: Struct, field: Field, position: number): string[] {
  const value = `f${position}`
  const path = argumentPath(code.project.schema, method, field)
  const write = writeStatements(code, field.type, new Slot('q', presenceSlots(struct) + position), value, path)
  const absent = isOptional(field) ? [] : [` else $.absent(${quote(path)}, 'argument')`]
  return [
    `const ${value} = ${take('v', field.name, false)}`,
    `if (${value} !== undefined && ${value} !== null) {`,
    ...indented(write),
    `  bits${position >> 5} |= ${1 << (position & 31)}`,
    `}${absent.join('')}`,
  ]
}

function readResult(code: Code, method: Method): string[] {
  if (method.result === undefined) return []
  const { schema } = code.project
  const struct = schema.structs[method.result]
  const success = successOf(struct)
  const outcomes = struct.fields.map((field, position) => {
    const slot = new Slot('p', presenceSlots(struct) + position)
    const read = readExpression(code, field.type, slot, `${struct.name}.${field.name}`)
    return `if (${presenceTest(position)}) ${field === success ? 'return' : 'throw'} ${read}`
  })
  const end = success === undefined ? [] : [`return $.missingResult(${quote(methodName(schema, method))})`]
  return withPresence([...outcomes, ...end], 'p', 2 * presenceSlots(struct))
}

function writeResult(code: Code, method: Method, index: number): string[] {
  if (method.result === undefined) return []
  const { schema } = code.project
  const struct = schema.structs[method.result]
  const first = presenceSlots(struct)
  const alloc = `const q = t.alloc(${first + tapeFields(struct)})`
  const success = successOf(struct)
  if (success === undefined) return [alloc, ...presenceStatements('q', onlyBit(struct, -1))]
  const position = struct.fields.indexOf(success)
  const path = rootPath(schema, method, success, 'success')
  const write = writeStatements(code, success.type, new Slot('q', first + position), 'v', path)
  return guarded(index, "'result'", 'v', [alloc, ...write, ...presenceStatements('q', onlyBit(struct, position))])
}

function writeException(code: Code, method: Method, index: number): string[] {
  if (method.result === undefined) return ['return false']
  const { schema } = code.project
  const struct = schema.structs[method.result]
  const first = presenceSlots(struct)
  const success = successOf(struct)
  const declared = struct.fields.flatMap((field, position) => {
    if (field === success || typeof field.type !== 'object' || !('struct' in field.type)) return []
    const path = rootPath(schema, method, field, 'exception')
    const body = [
      `const q = t.alloc(${first + tapeFields(struct)})`,
      ...writeStatements(code, field.type, new Slot('q', first + position), 'error', path),
      ...presenceStatements('q', onlyBit(struct, position)),
      'return true',
    ]
    return [
      `if (error instanceof ${code.exceptionClass(field.type.struct)}) {`,
      ...indented(guarded(index, String(position), 'error', body)),
      '}',
    ]
  })
  return [...declared, 'return false']
}

/** The constant of the IDL. */
export function printConst(code: Code, entity: Entity): string[] {
  const { schema, int64 } = code.project
  const constant = schema.consts?.[entity.index]
  if (constant === undefined) throw new RangeError(`the schema has no constant ${entity.index}`)
  return [`const ${entity.name.local} = ${printLiteral(code, literal(schema, int64, constant.type, constant.value))}`]
}
