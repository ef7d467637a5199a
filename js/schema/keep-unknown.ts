import type { Schema } from './model.js'

/**
 * The same schema, whose structs, unions and exceptions keep the fields that it does not know. Arguments and results of methods are no objects that
 * could have any; messages of Protobuf keep theirs anyway.
 */
export function keepUnknown(schema: Schema): Schema {
  return {
    ...schema,
    structs: schema.structs.map((struct) =>
      struct.kind === 'struct' || struct.kind === 'union' || struct.kind === 'exception'
        ? { ...struct, keep_unknown: true }
        : struct,
    ),
  }
}
