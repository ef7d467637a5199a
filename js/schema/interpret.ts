/**
 * The interpreter: descriptors whose codecs are closures over the schema.
 *
 * Generated code does the same, faster. This is its oracle in tests, finds the path of a wrong value for it, and takes its
 * place where code may not be generated.
 */
import type {
  GrpcMethodDescriptor,
  MessageDescriptor,
  MethodDescriptor,
  Program,
  ServiceDescriptor,
} from '../core/descriptor.js'
import { define, own, required } from '../core/tape/checks.js'
import { absent } from '../core/tape/errors.js'
import { missingResult } from '../core/tape/exceptions.js'
import type { InTape } from '../core/tape/reader.js'
import type { OutTape } from '../core/tape/writer.js'
import { exceptionClass, type ExceptionClass } from './exceptions.js'
import { Readers } from './interpret-read.js'
import { within, Writers, type Write } from './interpret-write.js'
import type { Field, Int64, Method, Schema, Struct } from './model.js'
import { camelCase, isInherited } from './names.js'
import {
  isProtobuf,
  methodName,
  pathOf,
  presenceSlots,
  responseOf,
  rootPath,
  shapeOf,
  structName,
  successOf,
  tapeFields,
} from './types.js'

/** Codecs over one schema. */
export class Interpreter {
  private readonly exceptions = new Map<number, ExceptionClass>()
  private readonly messages = new Map<number, MessageDescriptor>()
  private readonly readers: Readers
  private readonly writers: Writers

  constructor(
    readonly schema: Schema,
    readonly int64: Int64,
  ) {
    const exception = (struct: number): ExceptionClass => this.exception(struct)
    this.readers = new Readers(schema, int64, exception)
    this.writers = new Writers(schema, int64, exception)
  }

  /** The class of an exception. */
  exception(struct: number): ExceptionClass {
    let found = this.exceptions.get(struct)
    if (found === undefined) {
      found = exceptionClass(this.schema.structs[struct])
      this.exceptions.set(struct, found)
    }
    return found
  }

  /** The descriptor of a service. */
  service(program: Program, index: number): ServiceDescriptor {
    const service = this.schema.services[index]
    const protocol = isProtobuf(this.schema) ? 'grpc' : 'thrift'
    const methods: Record<string, MethodDescriptor> = {}
    for (const method of service.methods) {
      const descriptor = protocol === 'grpc' ? this.grpcMethod(program, method) : this.method(method)
      define(methods, descriptor.name, descriptor)
    }
    return { name: service.name, protocol, program, index, methods }
  }

  /** The descriptor of a message. */
  message(program: Program, index: number): MessageDescriptor {
    let found = this.messages.get(index)
    if (found === undefined) {
      found = {
        name: this.schema.structs[index].name,
        program,
        index,
        read: this.readers.struct(index),
        write: this.messageWriter(index),
      }
      this.messages.set(index, found)
    }
    return found
  }

  /** A message of which nothing is set: what reading an empty one gives. */
  blank(index: number): object {
    return this.readers.blank(index)
  }

  /** A fresh value of a field's default; undefined if it has none. */
  fallback(field: Field): unknown {
    return this.readers.fallback(field)()
  }

  /** A writer of a message whose errors begin with the message's name. */
  messageWriter(index: number): (t: OutTape, value: unknown) => number {
    const root = structName(this.schema, index)
    const write = this.writers.message(index)
    return (t, value) => {
      try {
        return write(t, value)
      } catch (error) {
        throw within(root, error)
      }
    }
  }

  /** The descriptor of a method of gRPC. */
  private grpcMethod(program: Program, index: number): GrpcMethodDescriptor {
    const method = this.schema.methods[index]
    const input = this.message(program, method.args)
    const output = this.message(program, responseOf(method))
    return {
      ...namesOf(method, index),
      kind: shapeOf(method),
      path: pathOf(this.schema, method),
      input,
      output,
      readArgs: this.readers.struct(input.index),
      writeArgs: this.messageWriter(input.index),
      readResult: this.readers.struct(output.index),
      writeResult: this.messageWriter(output.index),
      writeException: () => false,
    }
  }

  /** The descriptor of a method. */
  method(index: number): MethodDescriptor {
    const method = this.schema.methods[index]
    return {
      ...namesOf(method, index),
      readArgs: this.readArgs(method),
      writeArgs: this.writeArgs(method),
      readResult: this.readResult(method),
      writeResult: this.writeResult(method),
      writeException: this.writeException(method),
    }
  }

  private readArgs(method: Method): (t: InTape, p: number) => unknown {
    const { fields } = this.schema.structs[method.args]
    const readers = fields.map((field, position) => {
      const read = this.readers.field(method.args, position)
      if (isOptional(field)) return read
      const path =
        fields.length === 1
          ? rootPath(this.schema, method, field, 'argument')
          : argumentPath(this.schema, method, field)
      const present = presence(position)
      return (t: InTape, p: number) => (present(t, p) ? read(t, p) : absent(path, 'argument'))
    })
    if (readers.length === 1) return readers[0]
    return (t, p) => {
      const request = {}
      for (const [position, read] of readers.entries()) define(request, fields[position].name, read(t, p))
      return request
    }
  }

  private writeArgs(method: Method): (t: OutTape, request: unknown) => void {
    const struct = this.schema.structs[method.args]
    const { fields } = struct
    if (fields.length === 0) return (t) => void emptyStruct(t, struct)
    if (fields.length === 1) {
      const [field] = fields
      const root = rootPath(this.schema, method, field, 'argument')
      const write = rooted(root, this.writers.of(field.type))
      return (t, request) => {
        if (isOptional(field) && (request === undefined || request === null)) emptyStruct(t, struct)
        else oneField(t, struct, 0, write, request)
      }
    }
    const writers = fields.map((field) => rooted(argumentPath(this.schema, method, field), this.writers.of(field.type)))
    return (t, request) => {
      if (typeof request !== 'object' || request === null) required(methodName(this.schema, method), 'struct', request)
      const q = emptyStruct(t, struct)
      const words = new Int32Array(2 * presenceSlots(struct))
      for (const [position, field] of fields.entries()) {
        const value = isInherited(field.name) ? own(request, field.name) : (request as Fields)[field.name]
        if (value === undefined || value === null) {
          if (isOptional(field)) continue
          absent(argumentPath(this.schema, method, field), 'argument')
        }
        writers[position](t, q + presenceSlots(struct) + position, value)
        words[position >> 5] |= 1 << (position & 31)
      }
      t.i32.set(words, 2 * q)
    }
  }

  private readResult(method: Method): (t: InTape, p: number) => unknown {
    if (method.result === undefined) return () => undefined
    const result = this.schema.structs[method.result]
    const success = successOf(result)
    const outcomes = result.fields.map((field, position) => ({
      present: presence(position),
      read: this.readers.field(method.result as number, position),
      thrown: field !== success,
    }))
    const name = methodName(this.schema, method)
    return (t, p) => {
      for (const { present, read, thrown } of outcomes) {
        if (!present(t, p)) continue
        if (thrown) throw read(t, p)
        return read(t, p)
      }
      return success === undefined ? undefined : missingResult(name)
    }
  }

  private writeResult(method: Method): (t: OutTape, value: unknown) => void {
    if (method.result === undefined) return () => undefined
    const result = this.schema.structs[method.result]
    const success = successOf(result)
    if (success === undefined) return (t) => void emptyStruct(t, result)
    const root = rootPath(this.schema, method, success, 'success')
    const write = rooted(root, this.writers.of(success.type))
    const position = result.fields.indexOf(success)
    return (t, value) => oneField(t, result, position, write, value)
  }

  private writeException(method: Method): (t: OutTape, error: unknown) => boolean {
    if (method.result === undefined) return () => false
    const result = this.schema.structs[method.result]
    const success = successOf(result)
    const declared = result.fields.flatMap((field, position) => {
      if (field === success || typeof field.type !== 'object' || !('struct' in field.type)) return []
      return [{ Class: this.exception(field.type.struct), write: this.exceptionWriter(method, position) }]
    })
    return (t, error) => {
      const found = declared.find(({ Class }) => error instanceof Class)
      found?.write(t, error)
      return found !== undefined
    }
  }

  /** Writes a result with the exception of the result's field at `position`, of whatever class it is. */
  exceptionWriter(method: Method, position: number): (t: OutTape, error: unknown) => void {
    const result = this.schema.structs[method.result as number]
    const field = result.fields[position]
    const write = rooted(rootPath(this.schema, method, field, 'exception'), this.writers.of(field.type))
    return (t, error) => oneField(t, result, position, write, error)
  }
}

type Fields = Record<string, unknown>

/** What a descriptor says of a method beside its codecs. */
function namesOf(
  method: Method,
  index: number,
): Pick<MethodDescriptor, 'name' | 'wireName' | 'index' | 'oneway' | 'idempotent' | 'annotations'> {
  return {
    name: camelCase(method.name),
    wireName: method.name,
    index,
    oneway: method.oneway ?? false,
    idempotent: method.annotations?.idempotent === 'true',
    annotations: method.annotations ?? {},
  }
}

/** True for an argument that may be absent; all others have to be there, both ways. */
export function isOptional(field: Field): boolean {
  return field.requiredness === 'optional' || (field.default !== undefined && field.requiredness !== 'required')
}

/** Where an argument of several stands in messages. */
export function argumentPath(schema: Schema, method: Method, field: Field): string {
  return `${methodName(schema, method)}(${field.name})`
}

/** Tells whether the field of a struct at `position` is there; given the struct's first presence slot. */
export function presence(position: number): (t: InTape, p: number) => boolean {
  const word = position >> 5
  const bit = 1 << (position & 31)
  return (t, p) => (t.i32[2 * p + word] & bit) !== 0
}

/** Puts the root's name in front of the paths of errors. */
function rooted(root: string, write: Write): Write {
  return (t, p, value) => {
    try {
      write(t, p, value)
    } catch (error) {
      throw within(root, error)
    }
  }
}

/** Lays a struct of which nothing is present yet; returns its first slot. */
function emptyStruct(t: OutTape, struct: Struct): number {
  const first = presenceSlots(struct)
  const q = t.alloc(first + tapeFields(struct))
  t.i32.fill(0, 2 * q, 2 * (q + first))
  return q
}

/** Lays a struct of which one field is present. */
function oneField(t: OutTape, struct: Struct, position: number, write: Write, value: unknown): void {
  const q = emptyStruct(t, struct)
  write(t, q + presenceSlots(struct) + position, value)
  t.i32[2 * q + (position >> 5)] = 1 << (position & 31)
}
