import type { ServiceDescriptor } from '../core/descriptor.js'
import type { GenericService, LoadThriftOptions } from '../schema/load.js'

type Loader = typeof import('../schema/load.js')

/** The parser and the generator: programs that use generated code never load them. */
let loader: Loader | undefined

/**
 * Reads Thrift IDL and gives its services by name, as generated code would, typed as generic objects.
 *
 * @param files One IDL file, or several; services of the first one win where names repeat.
 * @throws IdlError with every mistake found.
 * @example
 * const { ItemService } = await loadThrift('item.thrift')
 */
export async function loadThrift(
  files: string | readonly string[],
  options: LoadThriftOptions = {},
): Promise<Readonly<Record<string, GenericService>>> {
  loader ??= await import('../schema/load.js')
  return loader.loadThrift(files, options)
}

/**
 * The exception classes that came with a service of {@link loadThrift}, by name, to be thrown and compared with.
 * @example
 * const { NotFound } = exceptionsOf(ItemService)
 */
export function exceptionsOf(service: ServiceDescriptor): ReturnType<Loader['exceptionsOf']> {
  return loader?.exceptionsOf(service) ?? {}
}
