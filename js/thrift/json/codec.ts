/** How the parts of methods become JSON: requests, responses, exceptions. */
import { required } from '../../core/tape/checks.js'
import { absent } from '../../core/tape/errors.js'
import { argumentPath, isOptional, type Interpreter } from '../../schema/interpret.js'
import { within } from '../../schema/interpret-write.js'
import { checkDepth } from '../../schema/json-value.js'
import type { Field, Method } from '../../schema/model.js'
import { methodName, rootPath, structName, successOf } from '../../schema/types.js'
import { textForm, valueForm } from './form.js'
import type { AnyJsonOptions } from './options.js'
import { parseText } from './parse-text.js'
import { Printers, type Print } from './printer.js'
import { JsonReaders, type Read } from './reader.js'

/** A request, a response or an exception, and its JSON. `Out` is written, `In` read: values, or text. */
export interface JsonCodec<Out, In, Value = unknown, Init = Value> {
  /** @throws TapeTypeError naming the path of a value that the IDL does not allow, or that JSON has no form for. */
  toJson(value: Init): Out
  /** @throws TapeTypeError naming the path of what the IDL does not allow. */
  fromJson(json: In): Value
}

/** An exception that a method declares. */
export interface DeclaredException {
  /** See `JsonException`. */
  readonly name: string
  /** Its place in the method's result. */
  readonly position: number
  readonly codec: JsonCodec<unknown, unknown>
}

/** Makes the codecs of a schema's methods, in the form that the options choose. */
export class JsonCodecs {
  readonly #printers: Printers<unknown>
  readonly #readers: JsonReaders
  readonly #isText: boolean

  constructor(
    readonly interpreter: Interpreter,
    options: AnyJsonOptions,
  ) {
    this.#isText = options.text === true
    const form = this.#isText ? textForm : valueForm
    this.#printers = new Printers(interpreter, form, options)
    this.#readers = new JsonReaders(interpreter, options)
  }

  /** The request, as clients give it and handlers take it. */
  request(method: Method): JsonCodec<unknown, unknown> {
    const { schema } = this.interpreter
    const { fields } = schema.structs[method.args]
    if (fields.length !== 1)
      return this.#codec(methodName(schema, method), this.#printArgs(method), this.#readArgs(method))
    const [field] = fields
    const print = this.#printers.of(field.type)
    const read = this.#readers.of(field.type)
    const root = rootPath(schema, method, field, 'argument')
    if (!isOptional(field)) return this.#codec(root, print, read)
    return this.#codec(
      root,
      (value) => (value === undefined || value === null ? this.#printers.form.literal(null) : print(value, 0)),
      (json) => (json === null ? undefined : read(json, 0)),
    )
  }

  /** The response; `null` where there is none. */
  response(method: Method): JsonCodec<unknown, unknown> {
    const { schema } = this.interpreter
    const success = method.result === undefined ? undefined : successOf(schema.structs[method.result])
    if (success === undefined) {
      const none = this.#printers.form.literal(null)
      return { toJson: () => none, fromJson: () => undefined }
    }
    const root = rootPath(schema, method, success, 'success')
    return this.#codec(root, this.#printers.of(success.type), this.#readers.of(success.type))
  }

  /** The exceptions that a method declares. */
  exceptions(method: Method): readonly DeclaredException[] {
    if (method.result === undefined) return []
    const { schema } = this.interpreter
    const result = schema.structs[method.result]
    const success = successOf(result)
    const declared = result.fields.flatMap(({ name, type }, position) =>
      result.fields[position] !== success && typeof type === 'object' && 'struct' in type
        ? [{ name, struct: type.struct, type: structName(schema, type.struct), position }]
        : [],
    )
    return declared.map(({ name, struct, type, position }) => {
      const isOnly = declared.filter((other) => other.type === type).length === 1
      const codec = this.#codec(type, this.#printers.struct(struct), this.#readers.struct(struct))
      return { name: isOnly ? type : name, position, codec }
    })
  }

  /** Errors begin with `root`. */
  #codec(root: string, print: Print<unknown>, read: Read): JsonCodec<unknown, unknown> {
    return {
      toJson: (value) => {
        try {
          return print(value, 0)
        } catch (error) {
          throw within(root, error)
        }
      },
      fromJson: (json) => {
        try {
          return read(this.#isText ? treeOf(json) : json, 0)
        } catch (error) {
          throw within(root, error)
        }
      },
    }
  }

  /** Several arguments, or none: an object of them by name. */
  #printArgs(method: Method): Print<unknown> {
    const parts = this.#arguments(method).map(({ field, missing }) => ({
      name: field.name,
      missing,
      print: this.#printers.of(field.type),
    }))
    const { form } = this.#printers
    return (request, depth) => {
      if (typeof request !== 'object' || request === null) required('', 'struct', request)
      checkDepth('', depth + 1)
      const members: [string, unknown][] = []
      for (const { name, missing, print } of parts) {
        const value = Object.hasOwn(request, name) ? (request as Record<string, unknown>)[name] : undefined
        if (value === undefined || value === null) {
          missing()
          continue
        }
        try {
          members.push([name, print(value, depth + 1)])
        } catch (error) {
          throw within(`(${name})`, error)
        }
      }
      return form.object(members)
    }
  }

  #readArgs(method: Method): Read {
    const parts = this.#arguments(method)
    const readers = new Map(parts.map(({ field }) => [field.name, this.#readers.of(field.type)]))
    return (json, depth) => {
      const given = new Map<string, unknown>()
      for (const [name, value] of this.#readers.members(json, depth)) {
        const read = readers.get(name)
        if (read === undefined) {
          this.#readers.unknown(name)
        } else if (value !== null && value !== undefined) {
          try {
            given.set(name, read(value, depth + 1))
          } catch (error) {
            throw within(`(${name})`, error)
          }
        }
      }
      for (const { field, missing } of parts) if (!given.has(field.name)) missing()
      return Object.fromEntries(given)
    }
  }

  #arguments(method: Method): readonly { readonly field: Field; readonly missing: () => void }[] {
    const { schema } = this.interpreter
    const root = methodName(schema, method)
    return schema.structs[method.args].fields.map((field) => {
      const at = argumentPath(schema, method, field).slice(root.length)
      return { field, missing: isOptional(field) ? () => undefined : () => absent(at, 'argument') }
    })
  }
}

function treeOf(text: unknown): unknown {
  if (typeof text !== 'string') required('', 'string', text)
  return parseText(text)
}
