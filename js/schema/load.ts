/** Services from IDL at run time, without generated files. */
import type {
  GrpcMethodDescriptor,
  GrpcServiceDescriptor,
  MessageDescriptor,
  MethodDescriptor,
  MethodShape,
  Program,
  ServiceDescriptor,
  ThriftServiceDescriptor,
} from '../core/descriptor.js'
import { compileSchema, type CompileOptions } from './compile.js'
import type { ExceptionClass } from './exceptions.js'
import { keepUnknown } from './keep-unknown.js'
import type { Schema } from './model.js'
import { parseDescriptorSet, parseProto, parseThrift } from './parse.js'

/** Options of {@link loadThrift}. */
export interface LoadThriftOptions extends CompileOptions {
  /** Directories searched for included files, after that of the including file. */
  readonly includeDirs?: readonly string[]
  /**
   * Structs, unions and exceptions keep the fields that the IDL does not know, in `$unknown`, and they are written back. Default false: they are
   * passed over.
   */
  readonly keepUnknown?: boolean
}

/** Options of {@link loadProto}. */
export interface LoadProtoOptions extends CompileOptions {
  /** Directories searched for imported files, before those of the files given. */
  readonly includeDirs?: readonly string[]
}

/** A struct whose fields are only known at run time. */
export type GenericMessage = Record<string, unknown>

/** A service whose types are only known at run time. */
export type GenericService = ThriftServiceDescriptor<
  Readonly<Record<string, MethodDescriptor<GenericMessage, GenericMessage>>>
>

/** A gRPC service whose types are only known at run time. */
export type GenericGrpcService = GrpcServiceDescriptor<
  Readonly<
    Record<
      string,
      GrpcMethodDescriptor<MethodShape, MessageDescriptor<GenericMessage>, MessageDescriptor<GenericMessage>>
    >
  >
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
  const compiled = compileSchema(options.keepUnknown === true ? keepUnknown(schema) : schema, options)
  exceptions.set(compiled.program, byName(compiled.exceptions.map((it) => [it.name, it.class])))
  return byName(compiled.services.map((service) => [service.name, service as GenericService]))
}

/**
 * Reads Protobuf IDL and gives its services, as generated code would, typed as generic objects: each by its full name, `package.Service`, and by
 * its name alone.
 *
 * @param files one `.proto` file, or several; services of the first one win where names repeat.
 * @throws IdlError with every mistake found.
 * @example
 * const { ItemService } = await loadProto('item.proto')
 */
export async function loadProto(
  files: string | readonly string[],
  options: LoadProtoOptions = {},
): Promise<Readonly<Record<string, GenericGrpcService>>> {
  return grpcServices(parseProto(typeof files === 'string' ? [files] : files, options.includeDirs), options)
}

/**
 * Gives the services of a `google.protobuf.FileDescriptorSet` in its binary form, as {@link loadProto} does those of files.
 *
 * @throws IdlError if the set contradicts itself.
 */
export async function loadDescriptorSet(
  set: Uint8Array,
  options: CompileOptions = {},
): Promise<Readonly<Record<string, GenericGrpcService>>> {
  return grpcServices(parseDescriptorSet(set), options)
}

function grpcServices(schema: Schema, options: CompileOptions): Readonly<Record<string, GenericGrpcService>> {
  const services = compileSchema(schema, options).services.map((service) => service as GenericGrpcService)
  const alone = (name: string): string => name.slice(name.lastIndexOf('.') + 1)
  return {
    ...byName(services.map((service) => [alone(service.name), service])),
    ...byName(services.map((service) => [service.name, service])),
  }
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
