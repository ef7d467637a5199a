/** Exception classes: what a method declares with `throws`. */
import { define, own } from '../core/tape/checks.js'
import { nameException } from '../core/tape/exceptions.js'
import type { Struct } from './model.js'
import { isInherited, isInheritedByErrors } from './names.js'

/** The class of an exception; takes its fields by name. */
export type ExceptionClass = new (fields?: Readonly<Record<string, unknown>>) => Error

/**
 * How an exception keeps a field:
 * `message` goes to Error's constructor, an `inherited` name is defined only if it is given, everything else is always
 * an own property, so that all instances have one shape.
 */
export function storageOf(struct: Struct, name: string): 'message' | 'inherited' | 'own' {
  if (name === 'message') {
    const field = struct.fields.find((candidate) => candidate.name === name)
    return field?.type === 'string' ? 'message' : 'inherited'
  }
  return isInheritedByErrors(name) ? 'inherited' : 'own'
}

/** Makes the class of an exception from its schema, as generated code spells it out. */
export function exceptionClass(struct: Struct): ExceptionClass {
  const fields = struct.fields.map(({ name }) => ({ name, storage: storageOf(struct, name), safe: !isInherited(name) }))
  const hasMessage = fields.some((field) => field.storage === 'message')
  const named = {
    [struct.name]: class extends Error {
      constructor(given: Readonly<Record<string, unknown>> = {}) {
        super(hasMessage ? (given.message as string | undefined) : undefined)
        for (const { name, storage, safe } of fields) {
          if (storage === 'message') continue
          const value = safe ? given[name] : own(given, name)
          if (storage === 'own' || value !== undefined) define(this, name, value)
        }
      }
    },
  }
  const constructor = named[struct.name]
  nameException(constructor, struct.name)
  return constructor
}
