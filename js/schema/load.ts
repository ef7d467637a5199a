/** Services from IDL at run time, without generated files. */
import type { MethodDescriptor, Program, ServiceDescriptor } from '../core/descriptor.js'
import { compileSchema, type CompileOptions } from './compile.js'
import type { ExceptionClass } from './exceptions.js'
import { parseThrift } from './parse.js'

/** Options of {@link loadThrift}. */
export interface LoadThriftOptions extends CompileOptions {
  /** Directories searched for included files, after that of the including file. */
  readonly includeDirs?: readonly string[]
}

/** A struct whose fields are only known at run time. */
export type GenericMessage = Record<string, unknown>

/** A service whose types are only known at run time. */
export type GenericService = ServiceDescriptor<
  Readonly<Record<string, MethodDescriptor<GenericMessage, GenericMessage>>>
>

const exceptions = new WeakMap<Program, Readonly<Record<string, ExceptionClass>>>()

/**
 * Reads Thrift IDL and gives its services by name, as generated code would, typed as generic objects.
 *
 * @param files one IDL file, or several; services of the first one win where names repeat.
 * @throws IdlError with every mistake found.
 * @example
 * const { ItemService } = await loadThrift('item.thrift')
 */
export async function loadThrift(
  files: string | readonly string[],
  options: LoadThriftOptions = {},
): Promise<Readonly<Record<string, GenericService>>> {
  const schema = parseThrift(typeof files === 'string' ? [files] : files, options.includeDirs)
  const compiled = compileSchema(schema, options)
  exceptions.set(compiled.program, byName(compiled.exceptions.map((it) => [it.name, it.class])))
  return byName(compiled.services.map((service) => [service.name, service as GenericService]))
}

/**
 * The exception classes that came with a service of {@link loadThrift}, by name, to be thrown and compared with.
 * @example
 * const { NotFound } = exceptionsOf(ItemService)
 */
export function exceptionsOf(service: ServiceDescriptor): Readonly<Record<string, ExceptionClass>> {
  return exceptions.get(service.program) ?? {}
}

/** An object of the first value of each name. */
function byName<T>(entries: readonly (readonly [string, T])[]): Readonly<Record<string, T>> {
  return Object.fromEntries([...entries].reverse())
}
