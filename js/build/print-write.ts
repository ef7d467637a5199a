/** Printers of writers: functions that check a value and lay it on the tape out. */
import type { Schema, Struct, Type } from '../schema/model.js'
import { isInherited, isInheritedByErrors } from '../schema/names.js'
import { isRequired, keepsUnknown, kindOf, presenceSlots, tapeFields, typeName } from '../schema/types.js'
import { Slot, type Code } from './code.js'
import { messageWriter } from './print-message.js'
import { defaultExpression } from './print-read.js'
import { access, indented, quote } from './text.js'

/** How integers of less than 64 bits are told from others: the operation that keeps only these. */
const truncations = {
  i8: (value: string) => `(${value} << 24) >> 24`,
  i16: (value: string) => `(${value} << 16) >> 16`,
  i32: (value: string) => `(${value} | 0)`,
  sint32: (value: string) => `(${value} | 0)`,
  sfixed32: (value: string) => `(${value} | 0)`,
  uint32: (value: string) => `(${value} >>> 0)`,
  fixed32: (value: string) => `(${value} >>> 0)`,
  enum: (value: string) => `(${value} | 0)`,
}

/** Statements that check the variable `value` and lay it into a slot. `path` is what a check knows of the place. */
export function writeStatements(code: Code, type: Type, slot: Slot, value: string, path: string): string[] {
  const { schema, int64 } = code.project
  const kind = kindOf(schema, type)
  const check = (wrong: string, expected: string): string =>
    `if (${wrong}) $.required(${quote(path)}, ${quote(expected)}, ${value})`
  switch (kind) {
    case 'bool':
      return [check(`typeof ${value} !== 'boolean'`, 'boolean'), ...halves(slot, `${value} ? 1 : 0`)]
    case 'i8':
    case 'i16':
    case 'i32':
    case 'sint32':
    case 'sfixed32':
    case 'uint32':
    case 'fixed32':
    case 'enum':
      return [
        check(`typeof ${value} !== 'number' || ${truncations[kind](value)} !== ${value}`, kind),
        ...halves(slot, value),
      ]
    case 'uint64':
    case 'fixed64':
      if (int64 === 'bigint') {
        return [
          check(`typeof ${value} !== 'bigint' || BigInt.asUintN(64, ${value}) !== ${value}`, 'unsigned bigint'),
          `t.i64[${slot}] = ${value}`,
        ]
      }
      return [
        check(
          `typeof ${value} !== 'number' || !Number.isSafeInteger(${value}) || ${value} < 0`,
          'unsigned number of 64 bits',
        ),
        ...wideHalves(slot, value),
      ]
    case 'i64':
    case 'sint64':
    case 'sfixed64':
      if (int64 === 'bigint') {
        return [
          check(`typeof ${value} !== 'bigint' || BigInt.asIntN(64, ${value}) !== ${value}`, 'bigint'),
          `t.i64[${slot}] = ${value}`,
        ]
      }
      return [
        check(`typeof ${value} !== 'number' || !Number.isSafeInteger(${value})`, 'number of 64 bits'),
        ...wideHalves(slot, value),
      ]
    case 'float':
      return [check(`!$.isFloat(${value})`, 'float'), `t.f64[${slot}] = ${value}`]
    case 'double':
      return [check(`typeof ${value} !== 'number'`, 'number'), `t.f64[${slot}] = ${value}`]
    case 'string':
      return [check(`typeof ${value} !== 'string'`, 'string'), `t.string(${slot}, ${value})`]
    case 'uuid':
      return [check(`!$.isUuid(${value})`, 'uuid'), `t.string(${slot}, ${value})`]
    case 'binary':
      return [check(`!$.isBytes(${value})`, 'Uint8Array'), `t.binary(${slot}, ${value})`]
    case 'struct':
    case 'union':
      if (isMessage(schema, type)) {
        return [`t.point(${slot}, ${messageWriter(code, (type as { struct: number }).struct)}(t, ${value}), 0)`]
      }
      return [`${structWriter(code, (type as { struct: number }).struct)}(t, ${slot}, ${value})`]
    default:
      return [`${containerWriter(code, type as Exclude<Type, string>)}(t, ${slot}, ${value})`]
  }
}

function halves(slot: Slot, low: string): string[] {
  return [`t.i32[${slot.half()}] = ${low}`, `t.i32[${slot.half(1)}] = 0`]
}

/** Statements that lay an integer of up to 53 bits. */
function wideHalves(slot: Slot, value: string): string[] {
  return [`t.i32[${slot.half()}] = ${value}`, `t.i32[${slot.half(1)}] = Math.floor(${value} / 4294967296)`]
}

function isMessage(schema: Schema, type: Type): boolean {
  return typeof type === 'object' && 'struct' in type && schema.structs[type.struct].kind === 'message'
}

/** Statements that set the presence words of the struct at `base`, given the expression of each word. */
export function presenceStatements(base: string, words: readonly string[]): string[] {
  return words.map((word, index) => `t.i32[${new Slot(base).half(index)}] = ${word}`)
}

/** Presence words of which exactly one bit is set. */
export function onlyBit(struct: Struct, position: number): string[] {
  return Array.from({ length: 2 * presenceSlots(struct) }, (_, word) =>
    word === position >> 5 ? String(1 << (position & 31)) : '0',
  )
}

/** Statements that lay what `v` has of fields that the schema does not know, and mark it in the presence words `bits0`, … */
export function unknownStatements(struct: Struct, name: string): string[] {
  const position = struct.fields.length
  return [
    'const u = v.$unknown',
    'if (u !== undefined && u !== null) {',
    `  if (!$.isBytes(u)) $.required(${quote(`${name}.$unknown`)}, 'Uint8Array', u)`,
    '  if (u.length !== 0) {',
    `    t.binary(${new Slot('q', presenceSlots(struct) + position)}, u)`,
    `    bits${position >> 5} |= ${1 << (position & 31)}`,
    '  }',
    '}',
  ]
}

/** An expression that takes a field from an object. */
export function take(object: string, name: string, ofException: boolean): string {
  const inherits = ofException ? isInheritedByErrors(name) : isInherited(name)
  return inherits ? `$.own(${object}, ${quote(name)})` : access(object, name)
}

/** The local name of the function that writes a struct. */
function structWriter(code: Code, index: number): string {
  const [module] = code.project.struct(index)
  const { name } = code.project.schema.structs[index]
  const wish = `write${name}`
  return code.from(module, wish, (owner) =>
    owner.function(`write struct ${index}`, wish, (local) => printStruct(owner, index, local)),
  )
}

function printStruct(code: Code, index: number, name: string): string[] {
  const struct = code.project.schema.structs[index]
  const recursive = code.project.recursive.has(index)
  const body = struct.kind === 'union' ? unionBody(code, struct) : structBody(code, struct)
  return [
    `function ${name}(t, p, v) {`,
    ...(recursive ? [`  if (++t.depth > t.maxDepth) $.tooDeep(${quote(struct.name)}, t.maxDepth)`] : []),
    ...indented(body),
    ...(recursive ? ['  t.depth--'] : []),
    '}',
  ]
}

function structBody(code: Code, struct: Struct): string[] {
  const first = presenceSlots(struct)
  const words = 2 * first
  const required = new Array<number>(words).fill(0)
  const fields: string[] = []
  const used = new Set<number>()
  struct.fields.forEach((field, position) => {
    const value = `f${position}`
    const word = position >> 5
    const bit = 1 << (position & 31)
    const path = `${struct.name}.${field.name}`
    const taken = take('v', field.name, struct.kind === 'exception')
    const write = writeStatements(code, field.type, new Slot('q', first + position), value, path)
    if (isRequired(field)) {
      required[word] |= bit
      fields.push(`const ${value} = ${taken}${fallback(code, field)}`, ...write)
      return
    }
    used.add(word)
    fields.push(
      `const ${value} = ${taken}`,
      `if (${value} !== undefined && ${value} !== null) {`,
      ...indented(write),
      `  bits${word} |= ${bit}`,
      '}',
    )
  })
  if (keepsUnknown(struct)) {
    used.add(struct.fields.length >> 5)
    fields.push(...unknownStatements(struct, struct.name))
  }
  const wordOf = (word: number): string => (used.has(word) ? `bits${word}` : String(required[word]))
  const all = Array.from({ length: words }, (_, word) => wordOf(word))
  const mayBeEmpty = required.every((word) => word === 0)
  const emptyTest = used.size === 0 ? '' : `if ((${[...used].map((word) => `bits${word}`).join(' | ')}) === 0) `
  return [
    `if (typeof v !== 'object' || v === null) $.required(${quote(struct.name)}, 'struct', v)`,
    `const q = t.alloc(${first + tapeFields(struct)})`,
    't.point(p, q, 0)',
    ...[...used].map((word) => `let bits${word} = ${required[word]}`),
    ...fields,
    ...(mayBeEmpty ? [`${emptyTest}$.checkEmpty(${quote(struct.name)}, 'struct', v)`] : []),
    ...presenceStatements('q', all),
  ]
}

/** A required field that is absent is written with its default. */
function fallback(code: Code, field: Struct['fields'][number]): string {
  return field.default === undefined ? '' : ` ?? ${defaultExpression(code, field)}`
}

function unionBody(code: Code, struct: Struct): string[] {
  const first = presenceSlots(struct)
  const keeps = keepsUnknown(struct)
  const cases = struct.fields.flatMap((field, position) => [
    `case ${quote(field.name)}: {`,
    ...indented(
      writeStatements(code, field.type, new Slot('q', first + position), 'e', `${struct.name}.${field.name}`),
    ),
    ...indented(
      keeps ? [`bits${position >> 5} |= ${1 << (position & 31)}`] : presenceStatements('q', onlyBit(struct, position)),
    ),
    '  break',
    '}',
  ])
  const words = Array.from({ length: 2 * first }, (_, word) => `bits${word}`)
  const noCase = `$.noCase(${quote(struct.name)}, k)`
  return [
    `if (typeof v !== 'object' || v === null) $.required(${quote(struct.name)}, 'union', v)`,
    'const k = v.case',
    ...(struct.fields.length === 0 ? [] : ['const e = v.value']),
    `const q = t.alloc(${first + tapeFields(struct)})`,
    't.point(p, q, 0)',
    ...(keeps ? [...words.map((word) => `let ${word} = 0`), ...unknownStatements(struct, struct.name)] : []),
    'switch (k) {',
    ...indented(cases),
    '  default:',
    // A case that the schema does not know is among what it does not know.
    keeps ? `    if (k !== undefined || (${words.join(' | ')}) === 0) ${noCase}` : `    ${noCase}`,
    '}',
    ...(keeps ? presenceStatements('q', words) : []),
  ]
}

/** The local name of the function that writes a list, set or map. */
function containerWriter(code: Code, type: Exclude<Type, string>): string {
  return code.function(`write ${JSON.stringify(type)}`, `write${code.nameOf(type)}`, (name) =>
    printContainer(code, type, name),
  )
}

function printContainer(code: Code, type: Exclude<Type, string>, name: string): string[] {
  const path = typeName(code.project.schema, type)
  const s = new Slot('s')
  const body = (): string[] => {
    if ('list' in type) {
      return [
        `if (!Array.isArray(v)) $.required(${quote(path)}, 'array', v)`,
        'const n = v.length',
        'const q = t.alloc(n)',
        't.point(p, q, n)',
        'for (let k = 0, s = q; k < n; k++, s++) {',
        '  const e = v[k]',
        ...indented(writeStatements(code, type.list, s, 'e', path)),
        '}',
      ]
    }
    if ('set' in type) {
      return [
        ...collectionHead('isSetLike', 'Set', path, 1),
        'for (const e of v) {',
        `  if (s === q + n) $.changed(${quote(path)})`,
        ...indented(writeStatements(code, type.set, s, 'e', path)),
        '  s++',
        '}',
        `if (s !== q + n) $.changed(${quote(path)})`,
      ]
    }
    if (!('map' in type)) throw new TypeError('the schema has a type of an unknown kind')
    const key = writeStatements(code, type.map[0], s, 'k', path)
    const value = writeStatements(code, type.map[1], s.plus(1), 'e', path)
    if (kindOf(code.project.schema, type) === 'map') {
      return [
        ...collectionHead('isMapLike', 'Map', path, 2),
        'for (const [k, e] of v) {',
        `  if (s === q + 2 * n) $.changed(${quote(path)})`,
        ...indented(key),
        ...indented(value),
        '  s += 2',
        '}',
        `if (s !== q + 2 * n) $.changed(${quote(path)})`,
      ]
    }
    return [
      `if (!$.isRecord(v)) $.required(${quote(path)}, 'plain object', v)`,
      'const keys = Object.keys(v)',
      'const n = keys.length',
      `if (n === 0) $.checkEmpty(${quote(path)}, 'plain object', v)`,
      'const q = t.alloc(2 * n)',
      't.point(p, q, n)',
      'for (let i = 0, s = q; i < n; i++, s += 2) {',
      '  const k = keys[i]',
      '  const e = v[k]',
      // A key of an object is a string anyway; only what kind of string may be wrong.
      ...indented(type.map[0] === 'string' ? ['t.string(s, k)'] : key),
      ...indented(value),
      '}',
    ]
  }
  return [`function ${name}(t, p, v) {`, ...indented(body()), '}']
}

function collectionHead(test: string, expected: string, path: string, step: number): string[] {
  return [
    `if (!$.${test}(v)) $.required(${quote(path)}, ${quote(expected)}, v)`,
    'const n = v.size',
    `const q = t.alloc(${step === 1 ? 'n' : '2 * n'})`,
    't.point(p, q, n)',
    'let s = q',
  ]
}
