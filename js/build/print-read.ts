/** Printers of readers: functions that make a value of what lies on the tape in. */
import { literal } from '../schema/literal.js'
import type { Field, Struct, Type } from '../schema/model.js'
import { isRequired, keepsUnknown, kindOf, presenceSlots } from '../schema/types.js'
import { Slot, type Code } from './code.js'
import { printLiteral } from './print-literal.js'
import { readMessage } from './print-message.js'
import { indented, literalKey, quote } from './text.js'

/** An expression that reads the value in a slot. It may use `t` and `i32`. */
export function readExpression(code: Code, type: Type, slot: Slot, path: string): string {
  const { schema, int64 } = code.project
  switch (kindOf(schema, type)) {
    case 'bool':
      return `i32[${slot.half()}] !== 0`
    case 'i8':
    case 'i16':
    case 'i32':
    case 'sint32':
    case 'sfixed32':
    case 'enum':
      return `i32[${slot.half()}]`
    case 'uint32':
    case 'fixed32':
      return `i32[${slot.half()}] >>> 0`
    case 'uint64':
    case 'fixed64':
      return int64 === 'bigint' ? `BigInt.asUintN(64, t.i64[${slot}])` : `t.safeUnsigned(${slot}, ${quote(path)})`
    case 'i64':
    case 'sint64':
    case 'sfixed64':
      return int64 === 'bigint' ? `t.i64[${slot}]` : `t.safeInteger(${slot}, ${quote(path)})`
    case 'float':
    case 'double':
      return `t.f64[${slot}]`
    case 'string':
    case 'uuid':
      return `t.string(${slot})`
    case 'binary':
      return `t.binary(${slot})`
    case 'struct':
    case 'union':
      return `${structReader(code, (type as { struct: number }).struct)}(t, ${slot} + i32[${slot.half()}])`
    default:
      return `${containerReader(code, type as Exclude<Type, string>, path)}(t, ${slot})`
  }
}

/** An expression that reads a field of the struct whose first presence slot is `base`; absent ones are undefined or the default. */
export function fieldExpression(code: Code, struct: Struct, position: number, base: string): string {
  const field = struct.fields[position]
  const slot = new Slot(base, presenceSlots(struct) + position)
  const read = readExpression(code, field.type, slot, `${struct.name}.${field.name}`)
  return isRequired(field) ? read : `${presenceTest(position)} ? ${read} : ${defaultExpression(code, field)}`
}

/** An expression of what an absent field is read as: its default, or undefined. */
export function defaultExpression(code: Code, field: Field): string {
  if (field.default === undefined) return 'undefined'
  const { schema, int64 } = code.project
  return printLiteral(code, literal(schema, int64, field.type, field.default))
}

/** Asks the words of {@link presenceWords} for a field. */
export function presenceTest(position: number): string {
  return `(bits${position >> 5} & ${1 << (position & 31)}) !== 0`
}

/** Declares `i32` and the presence words that `lines` use. */
export function withPresence(lines: readonly string[], base: string, words: number): string[] {
  const text = lines.join('\n')
  const used = Array.from({ length: words }, (_, word) => word).filter((word) => text.includes(`(bits${word} &`))
  const declarations = used.map((word) => `const bits${word} = i32[${new Slot(base).half(word)}]`)
  const needsHalves = used.length > 0 || /\bi32\[/.test(text.replaceAll('t.i32[', ''))
  return [...(needsHalves ? ['const i32 = t.i32'] : []), ...declarations, ...lines]
}

/** The local name of the function that reads a struct. */
export function structReader(code: Code, index: number): string {
  const [module] = code.project.struct(index)
  const wish = `read${code.nameOf({ struct: index })}`
  return code.from(module, wish, (owner) =>
    owner.function(`read struct ${index}`, wish, (local) => printStruct(owner, index, local)),
  )
}

function printStruct(code: Code, index: number, name: string): string[] {
  const struct = code.project.schema.structs[index]
  const head = `function ${name}(t, p) {`
  if (struct.kind === 'message') return [head, ...readMessage(code, index).map((line) => `  ${line}`), '}']
  const body = struct.kind === 'union' ? unionBody(code, struct) : structBody(code, struct, index)
  return [head, ...withPresence(body, 'p', 2 * presenceSlots(struct)).map((line) => `  ${line}`), '}']
}

function structBody(code: Code, struct: Struct, index: number): string[] {
  const fields = struct.fields.map(
    (field, position) => `  ${literalKey(field.name)}: ${fieldExpression(code, struct, position, 'p')},`,
  )
  const made =
    struct.kind === 'exception'
      ? [`new ${code.exceptionClass(index)}({`, ...fields, '})']
      : fields.length === 0
        ? ['{}']
        : ['{', ...fields, '}']
  return returned(struct, made)
}

/** Returns what an expression makes, with the fields that the schema does not know. */
function returned(struct: Struct, [head, ...rest]: readonly string[]): string[] {
  if (!keepsUnknown(struct)) return [`return ${head}`, ...rest]
  return [`const v = ${head}`, ...rest, unknownStatement(struct, 'p'), 'return v']
}

/** A statement that gives `v` the fields of the struct at `base` that the schema does not know, if there are any. */
export function unknownStatement(struct: Struct, base: string): string {
  const position = struct.fields.length
  return `if (${presenceTest(position)}) v.$unknown = t.binary(${new Slot(base, presenceSlots(struct) + position)})`
}

function unionBody(code: Code, struct: Struct): string[] {
  const first = presenceSlots(struct)
  const cases = struct.fields.map((field, position) => {
    const read = readExpression(code, field.type, new Slot('p', first + position), `${struct.name}.${field.name}`)
    return [presenceTest(position), `{ case: ${quote(field.name)}, value: ${read} }`]
  })
  const none = '{ case: undefined, value: undefined }'
  if (!keepsUnknown(struct)) return [...cases.map(([test, value]) => `if (${test}) return ${value}`), `return ${none}`]
  const [head, ...rest] = [...cases.map(([test, value]) => `${test} ? ${value} :`), none]
  return returned(struct, [head, ...indented(rest)])
}

/** The local name of the function that reads a list, set or map. */
function containerReader(code: Code, type: Exclude<Type, string>, path: string): string {
  // Only integers made numbers name their place, so only they need functions of their own.
  const place = code.project.int64 === 'number' && /"(s?fixed|[su]int|i)64"/.test(JSON.stringify(type)) ? path : ''
  return code.function(`read ${JSON.stringify(type)} ${place}`, `read${code.nameOf(type)}`, (name) =>
    printContainer(code, type, path, name),
  )
}

function printContainer(code: Code, type: Exclude<Type, string>, path: string, name: string): string[] {
  const head = (step: number): string[] => [
    `function ${name}(t, p) {`,
    '  const i32 = t.i32',
    '  const n = i32[2 * p + 1]',
    '  let s = p + i32[2 * p]',
    ...(step === 1 && 'list' in type ? ['  const v = new Array(n)'] : []),
  ]
  const s = new Slot('s')
  if ('list' in type) {
    const item = readExpression(code, type.list, s, path)
    return [...head(1), `  for (let k = 0; k < n; k++, s++) v[k] = ${item}`, '  return v', '}']
  }
  if ('set' in type) {
    const item = readExpression(code, type.set, s, path)
    return [...head(1), '  const v = new Set()', `  for (let k = 0; k < n; k++, s++) v.add(${item})`, '  return v', '}']
  }
  if (!('map' in type)) throw new TypeError('the schema has a type of an unknown kind')
  const key = readExpression(code, type.map[0], s, path)
  const value = readExpression(code, type.map[1], s.plus(1), path)
  if (kindOf(code.project.schema, type) === 'map') {
    return [
      ...head(2),
      '  const v = new Map()',
      `  for (let k = 0; k < n; k++, s += 2) v.set(${key}, ${value})`,
      '  return v',
      '}',
    ]
  }
  const keys = code.module.identifiers.hidden(`${name.slice(1)}$keys`)
  const put = (position: string, slot: Slot): string[] => {
    const value = readExpression(code, type.map[1], slot.plus(1), path)
    return [
      `const e = $.cachedKey(${keys}, ${position}, ${readExpression(code, type.map[0], slot, path)})`,
      `if (e === '__proto__') $.define(v, e, ${value})`,
      `else v[e] = ${value}`,
    ]
  }
  // The first entries have a place in the code each: V8 remembers what was stored at a place, and maps tend to repeat their keys.
  const first = Array.from({ length: PLACES }, (_, position) => [
    `if (n > ${position}) {`,
    ...indented(put(String(position), s.plus(2 * position))),
    '}',
  ])
  return [
    `const ${keys} = $.keyCache()`,
    ...head(2),
    '  const v = {}',
    ...indented(first.flat()),
    `  s += ${2 * PLACES}`,
    `  for (let k = ${PLACES}; k < n; k++, s += 2) {`,
    ...indented(indented(put('k', s))),
    '  }',
    '  return v',
    '}',
  ]
}

/** Entries of a map that are read at places of their own. */
const PLACES = 4
