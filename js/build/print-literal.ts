import type { Literal } from '../schema/literal.js'
import type { Code } from './code.js'
import { literalKey, quote } from './text.js'

/** An expression that makes a fresh value of a literal. */
export function printLiteral(code: Code, of: Literal): string {
  switch (of.kind) {
    case 'undefined':
      return 'undefined'
    case 'boolean':
      return String(of.value)
    case 'number':
      return Object.is(of.value, -0) ? '-0' : String(of.value)
    case 'bigint':
      return `${of.value}n`
    case 'string':
      return quote(of.value)
    case 'bytes':
      return `new TextEncoder().encode(${quote(of.value)})`
    case 'base64':
      return `new Uint8Array([${[...Buffer.from(of.value, 'base64')].join(', ')}])`
    case 'array':
      return `[${of.items.map((item) => printLiteral(code, item)).join(', ')}]`
    case 'set':
      return `new Set([${of.items.map((item) => printLiteral(code, item)).join(', ')}])`
    case 'map': {
      const entries = of.entries.map(([k, v]) => `[${printLiteral(code, k)}, ${printLiteral(code, v)}]`)
      return `new Map([${entries.join(', ')}])`
    }
    case 'object':
      return printObject(code, of.entries)
    case 'exception':
      return `new ${code.exceptionClass(of.struct)}(${printObject(code, of.entries)})`
  }
}

function printObject(code: Code, entries: readonly (readonly [string, Literal])[]): string {
  if (entries.length === 0) return '{}'
  return `{ ${entries.map(([key, value]) => `${literalKey(key)}: ${printLiteral(code, value)}`).join(', ')} }`
}
