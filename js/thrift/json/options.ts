/** What the mapping of Thrift to JSON may be told. */
import type { JsonValue } from '../../schema/json-value.js'

/** What is read as JSON: what JSON can say, and integers that have no exact number. */
export type JsonInput =
  null | boolean | number | bigint | string | readonly JsonInput[] | { readonly [name: string]: JsonInput | undefined }

/** Options of both forms. */
interface CommonOptions {
  /**
   * What `binary` is in JSON: base64, or the text whose UTF-8 the bytes are; bytes that are no UTF-8 are an error then. Default `'base64'`. Both
   * alphabets of base64 are read, with padding or without.
   */
  readonly binary?: 'base64' | 'utf8'
  /** Writes names of enums instead of their numbers, where they have one. Both are read. Default false. */
  readonly enumAsName?: boolean
  /** Passes over members of objects that the IDL does not know, instead of refusing them. Default false. */
  readonly ignoreUnknownFields?: boolean
}

/** Options of JSON as values: what `JSON.parse` gives and `JSON.stringify` takes. */
export interface JsonOptions extends CommonOptions {
  readonly text?: false
  /**
   * How `i64` is written: `'auto'` as a number up to 2^53, beyond it as a string of digits; `'string'` always as a string. Numbers and strings are
   * read. Default `'auto'`.
   */
  readonly i64?: 'auto' | 'string'
}

/** Options of JSON as text. */
export interface JsonTextOptions extends CommonOptions {
  /** Takes and gives text instead of values. It keeps every digit and the order of maps, and refuses a name that an object has twice. */
  readonly text: true
  /** As for values, and `'number'`: always all digits, which `JSON.parse` would round. Default `'auto'`. */
  readonly i64?: 'auto' | 'string' | 'number'
}

/** Options of either form. */
export type AnyJsonOptions = JsonOptions | JsonTextOptions

/** What is written in the form that the options choose. */
export type JsonOut<Options extends AnyJsonOptions> = Options extends JsonTextOptions ? string : JsonValue

/** What is read in the form that the options choose. */
export type JsonIn<Options extends AnyJsonOptions> = Options extends JsonTextOptions ? string : JsonInput
