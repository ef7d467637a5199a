/** What the mapping asks about messages: their schema, and others by name. */
import type { MessageDescriptor, Program } from '../core/descriptor.js'
import { TapeTypeError } from '../core/tape/errors.js'
import type { Interpreter } from '../schema/interpret.js'
import type { Struct } from '../schema/model.js'
import { interpreterOf } from '../schema/program.js'

/** A build's program, and what is known of its schema. */
export interface Known {
  readonly program: Program
  readonly interpreter: Interpreter
}

/** The build a message is of. */
export function knownOf({ program }: MessageDescriptor): Known {
  return { program, interpreter: interpreterOf(program) }
}

/** A field of a message of a well-known type, by its name: such messages come from anywhere, but always have these. */
export function fieldType(struct: Struct, name: string): Struct['fields'][number] {
  const field = struct.fields.find((candidate) => candidate.name === name)
  if (field === undefined) throw new TypeError(`${struct.name} has no field '${name}'`)
  return field
}

/**
 * The message that a type URL names.
 * @throws TapeTypeError if it is not known.
 */
export function typeOf(
  { program, interpreter }: Known,
  types: readonly MessageDescriptor[] | undefined,
  url: string,
  path: string,
): MessageDescriptor {
  const slash = url.lastIndexOf('/')
  const name = url.slice(slash + 1)
  if (slash < 0 || name === '') {
    throw new TapeTypeError(path, `${JSON.stringify(url)} is no type URL; write type.googleapis.com/package.Message`)
  }
  const given = types?.find((type) => type.name === name)
  if (given !== undefined) return given
  const { structs } = interpreter.schema
  const index = structs.findIndex((struct) => struct.kind === 'message' && struct.name === name)
  if (index >= 0) return interpreter.message(program, index)
  throw new TapeTypeError(path, `the message ${name} is not known; name it in the option types`)
}
