import { addon } from '../core/addon.js'
import { IdlError, type IdlMistake } from './idl-error.js'
import type { Schema } from './model.js'

/**
 * Reads Thrift IDL.
 * @param files the roots; what they include is searched beside the including file, then in `includeDirs`.
 * @throws IdlError with every mistake found.
 */
export function parseThrift(files: readonly string[], includeDirs: readonly string[] = []): Schema {
  const answer = JSON.parse(addon().parseThrift([...files], [...includeDirs])) as
    { schema: Schema } | { errors: IdlMistake[] }
  if ('errors' in answer) throw new IdlError(answer.errors)
  return answer.schema
}
