/** Which maps JSON has a form for: names of members can only be keys that are one text. */
import { TapeTypeError } from '../../core/tape/errors.js'
import type { Schema, Type } from '../../schema/model.js'
import { typeName } from '../../schema/types.js'

/** The type of a map. */
export type MapType = Extract<Type, { readonly map: unknown }>

/** True if the keys of a map are scalars or enums. */
export function hasNames({ map: [key] }: MapType): boolean {
  return typeof key === 'string' || 'enum' in key
}

/** Refuses every map of a type that has no names for its keys, an empty one, too. */
export function refuse(schema: Schema, type: MapType): () => never {
  const reason = `JSON has no form for a ${typeName(schema, type)}; keys have to be scalars or enums`
  return () => {
    throw new TapeTypeError('', reason)
  }
}
