/** Services of the fixtures, from generated code and loaded at run time, and clients of them. */
import { fileURLToPath } from 'node:url'
import { build } from 'volo-js/build'
import { Client, exceptionsOf, loadThrift, type ServiceDescriptor } from 'volo-js/thrift'
import type { ExceptionClasses } from './handlers.js'
import type { Transport } from './peers.js'
import type { Caller } from './sweep.js'

const path = (file: string): string => fileURLToPath(new URL(file, import.meta.url))

/** A service and the classes of its exceptions. */
export interface Fixture {
  readonly service: ServiceDescriptor
  readonly classes: ExceptionClasses
}

/** EverythingReserved, with everything it extends, from IDL read now. */
export async function loaded(): Promise<Fixture> {
  const { EverythingReserved } = await loadThrift(path('../fixtures/everything_reserved.thrift'))
  return { service: EverythingReserved, classes: exceptionsOf(EverythingReserved) as unknown as ExceptionClasses }
}

/**
 * EverythingReserved from generated code, which is made here: the compiler of these tests need not know it.
 * @param folder under tests/interop/volo-gen; each test file has its own, for they run side by side.
 */
export async function generated(folder: string): Promise<Fixture> {
  const out = path(`volo-gen/${folder}`)
  await build([path('../fixtures/everything_reserved.thrift')], { out })
  const { EverythingReserved } = (await import(`${out}/everything_reserved.js`)) as {
    readonly EverythingReserved: ServiceDescriptor
  }
  return { service: EverythingReserved, classes: (await import(`${out}/everything.js`)) as ExceptionClasses }
}

/** A service with `ping` as Everything has it, and `nowhere`, which no server here has. */
export async function elsewhere(): Promise<ServiceDescriptor> {
  const { Elsewhere } = await loadThrift(path('elsewhere.thrift'))
  return Elsewhere
}

export type Mode = 'pipelined' | 'pool'
export const modes: readonly Mode[] = ['pipelined', 'pool']

export function clientOf(
  service: ServiceDescriptor,
  address: string,
  mode: Mode,
  transport: Transport,
): Caller & AsyncDisposable {
  const builder = Client.of(service, 'everything').address(address).transport(transport)
  const client = (mode === 'pipelined' ? builder.pipelined() : builder.pool({ size: 8 })).build()
  return client
}
