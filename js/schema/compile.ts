/** Descriptors of a schema that is only known at run time. */
import { Script } from 'node:vm'
import { generateScript, wireText } from '../build/generate.js'
import { VERSION } from '../build/version.js'
import type { MessageDescriptor, Program, ServiceDescriptor } from '../core/descriptor.js'
import * as runtime from '../core/generated.js'
import { LAYOUT_VERSION } from '../core/tape/layout.js'
import type { ExceptionClass } from './exceptions.js'
import { Interpreter } from './interpret.js'
import type { Int64, Schema } from './model.js'
import { defineProgram, schemaHash } from './program.js'

/** Options of {@link compileSchema}. */
export interface CompileOptions {
  /** How 64-bit integers appear. Default `bigint`. */
  readonly i64?: Int64
  /** False reads and writes messages without generating code, several times slower. Default true. */
  readonly codegen?: boolean
}

/** What a schema gives. */
export interface Compiled {
  readonly program: Program
  /** In the order of the schema. */
  readonly services: readonly ServiceDescriptor[]
  /** Classes by exception; names may repeat in different files. */
  readonly exceptions: readonly { readonly name: string; readonly class: ExceptionClass }[]
  /** Messages of Protobuf, in the order of the schema. */
  readonly messages: readonly MessageDescriptor[]
}

/** Exports of one generated file. */
type Exports = Readonly<Record<string, unknown>>

/** Makes descriptors. */
export function compileSchema(schema: Schema, options: CompileOptions = {}): Compiled {
  const int64 = options.i64 ?? 'bigint'
  const text = wireText(schema)
  const program = defineProgram({
    version: VERSION,
    layout: LAYOUT_VERSION,
    int64,
    hash: schemaHash(text),
    schema: text,
  })
  return (options.codegen ?? true) ? generated(schema, int64, program) : interpreted(schema, int64, program)
}

function generated(schema: Schema, int64: Int64, program: Program): Compiled {
  const { text, services, exceptions, messages } = generateScript(schema, { i64: int64 })
  // A script, not `new Function`: that one is refused where code from strings is, and has no file name in stacks.
  const script = new Script(text, { filename: `volo-gen:${schema.files?.[0]?.path ?? 'schema'}` })
  const make = script.runInThisContext() as ($: typeof runtime, program: Program) => readonly Exports[]
  const files = make(runtime, program)
  return {
    program,
    services: services.map(({ file, exported }) => files[file][exported] as ServiceDescriptor),
    exceptions: exceptions.map(({ file, exported, name }) => ({
      name,
      class: files[file][exported] as ExceptionClass,
    })),
    messages: messages.map(({ file, exported }) => files[file][exported] as MessageDescriptor),
  }
}

function interpreted(schema: Schema, int64: Int64, program: Program): Compiled {
  const interpreter = new Interpreter(schema, int64)
  return {
    program,
    services: schema.services.map((_, index) => interpreter.service(program, index)),
    exceptions: schema.structs.flatMap(({ kind, name }, index) =>
      kind === 'exception' ? [{ name, class: interpreter.exception(index) }] : [],
    ),
    messages: schema.structs.flatMap(({ kind }, index) =>
      kind === 'message' ? [interpreter.message(program, index)] : [],
    ),
  }
}
