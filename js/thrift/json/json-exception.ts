import { nameException } from '../../core/tape/exceptions.js'
import type { JsonValue } from '../../schema/json-value.js'

/**
 * A declared exception as JSON: what a client of `json(service)` rejects with, and what its handlers may throw. Handlers may as well throw the classes of
 * generated code, or of `exceptionsOf`.
 *
 * @example
 * throw new JsonException('NotFound', { id: '9007199254740993' })
 */
export class JsonException<Json = JsonValue> extends Error {
  /** Name of the exception in the IDL; where a method declares two of one name, their names in its `throws`. */
  readonly exception: string
  /** Its fields. */
  readonly json: Json

  /** @param cause on clients, the exception as the service without JSON gives it. */
  constructor(exception: string, json: Json, options?: { readonly cause?: unknown }) {
    super(`${exception} ${textOf(json)}`, options)
    this.exception = exception
    this.json = json
  }
}
nameException(JsonException, 'JsonException')

function textOf(json: unknown): string {
  if (typeof json === 'string') return json
  return JSON.stringify(json, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
}
