/** The services a server was given, and what the core and the dispatch need of them. */
import type { NativeServices } from './addon.js'
import type { MethodDescriptor, Protocol, ServiceDescriptor } from './descriptor.js'
import { VoloError } from './errors.js'
import type { Isolate } from './isolate.js'
import { methodInfo } from './method-info.js'
import type { ServedMethod } from './serving-calls.js'

/** A service, and who answers for it. */
export interface ServedService {
  readonly descriptor: ServiceDescriptor
  readonly impl: object
}

/**
 * Checks that a service can be served beside others.
 * @throws VoloError INVALID_ARGUMENT if a method has no handler, if another service has a method of that name, or if the service comes from
 *   another build.
 */
export function checkService({ descriptor, impl }: ServedService, others: readonly ServedService[]): void {
  const missing = Object.values(descriptor.methods).filter((method) => handlerOf(impl, method) === undefined)
  if (missing.length > 0) {
    const names = missing.map((method) => `'${method.name}'`).join(', ')
    throw new VoloError(
      'INVALID_ARGUMENT',
      `${descriptor.name} has no handler for ${names}; add a function of that name`,
    )
  }
  for (const other of others) {
    if (other.descriptor.protocol === descriptor.protocol) checkTogether(other.descriptor, descriptor)
  }
}

/** What the core is told to serve of a protocol; undefined if nothing. */
export function nativeServices(
  services: readonly ServedService[],
  protocol: Protocol,
  home: Isolate,
): NativeServices | undefined {
  const own = services.filter(({ descriptor }) => descriptor.protocol === protocol)
  if (own.length === 0) return undefined
  return {
    program: home.load(own[0].descriptor.program),
    services: own.map(({ descriptor }) => descriptor.index),
  }
}

/** Methods of a protocol by their index in the program. */
export function servedMethods(services: readonly ServedService[], protocol: Protocol): (ServedMethod | undefined)[] {
  const methods: (ServedMethod | undefined)[] = []
  for (const { descriptor: service, impl } of services) {
    if (service.protocol !== protocol) continue
    for (const method of Object.values(service.methods)) {
      const handler = handlerOf(impl, method)
      if (handler === undefined) continue
      while (methods.length <= method.index) methods.push(undefined)
      methods[method.index] = { info: methodInfo(service, method), descriptor: method, handler: handler.bind(impl) }
    }
  }
  return methods
}

/** The function that answers a method; what every object inherits does not count. */
function handlerOf(impl: object, method: MethodDescriptor): ServedMethod['handler'] | undefined {
  const value: unknown = (impl as Record<string, unknown>)[method.name]
  if (typeof value !== 'function') return undefined
  const inherited: unknown = (Object.prototype as unknown as Record<string, unknown>)[method.name]
  return value === inherited ? undefined : (value as ServedMethod['handler'])
}

function checkTogether(first: ServiceDescriptor, second: ServiceDescriptor): void {
  if (first.program.hash !== second.program.hash) {
    throw new VoloError(
      'INVALID_ARGUMENT',
      `${first.name} and ${second.name} come from different builds; build their IDL files with one \`volo build\``,
    )
  }
  // gRPC tells calls apart by the service's name, too.
  if (first.protocol === 'grpc') return
  const names = new Map(Object.values(first.methods).map((method) => [method.wireName, method.index]))
  for (const method of Object.values(second.methods)) {
    const index = names.get(method.wireName)
    if (index !== undefined && index !== method.index) {
      throw new VoloError(
        'INVALID_ARGUMENT',
        `${first.name} and ${second.name} both have a method '${method.wireName}', and Thrift tells calls apart by that name only; serve them on two addresses`,
      )
    }
  }
}
