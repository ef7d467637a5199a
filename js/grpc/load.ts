import type { CompileOptions } from '../schema/compile.js'
import type { GenericGrpcService, LoadProtoOptions } from '../schema/load.js'

type Loader = typeof import('../schema/load.js')

/** The parser and the generator: programs that use generated code never load them. */
let loader: Loader | undefined

/**
 * Reads Protobuf IDL and gives its services, as generated code would, typed as generic objects: each by its full name, `package.Service`, and by
 * its name alone.
 *
 * @param files One `.proto` file, or several; services of the first one win where names repeat.
 * @throws IdlError with every mistake found.
 * @example
 * const { ItemService } = await loadProto('item.proto')
 */
export async function loadProto(
  files: string | readonly string[],
  options: LoadProtoOptions = {},
): Promise<Readonly<Record<string, GenericGrpcService>>> {
  loader ??= await import('../schema/load.js')
  return loader.loadProto(files, options)
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
  loader ??= await import('../schema/load.js')
  return loader.loadDescriptorSet(set, options)
}
