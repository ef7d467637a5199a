/** What JSON is made of: values, or text. */
import { define } from '../../core/tape/checks.js'
import type { JsonValue } from '../../schema/json-value.js'

/** Makes JSON of its parts. */
export interface Form<Json> {
  literal(value: null | boolean): Json
  /** A finite number. */
  number(value: number): Json
  /** An integer that may have no exact number. */
  digits(value: bigint): Json
  text(value: string): Json
  array(items: readonly Json[]): Json
  object(members: Iterable<readonly [name: string, value: Json]>): Json
}

/** JSON as values. */
export const valueForm: Form<JsonValue> = {
  literal: (value) => value,
  number: (value) => value,
  digits: (value) => String(value),
  text: (value) => value,
  array: (items) => items as JsonValue[],
  object(members) {
    const object: Record<string, JsonValue> = {}
    for (const [name, value] of members) {
      if (name === '__proto__') define(object, name, value)
      else object[name] = value
    }
    return object
  },
}

/** JSON as text, without spaces. */
export const textForm: Form<string> = {
  literal: String,
  // JSON.stringify would drop the sign.
  number: (value) => (Object.is(value, -0) ? '-0' : String(value)),
  digits: String,
  text: (value) => JSON.stringify(value),
  array: (items) => `[${items.join(',')}]`,
  object(members) {
    const parts: string[] = []
    for (const [name, value] of members) parts.push(`${JSON.stringify(name)}:${value}`)
    return `{${parts.join(',')}}`
  },
}
