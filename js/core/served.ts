/** The services a server was given, and what the core and the dispatch need of them. */
import type { NativeServices } from './addon.js'
import type { MethodDescriptor, Protocol, ServiceDescriptor } from './descriptor.js'
import { VoloError } from './errors.js'
import { checkLayout, type Isolate } from './isolate.js'
import { methodInfo } from './method-info.js'
import { linkPrograms } from '../schema/link.js'
import type { ServedMethod } from './serving-calls.js'
import { isAnyService, passagesOf, type Passage } from '../thrift/proxy.js'

/** A service, and who answers for it. */
export interface ServedService {
  readonly descriptor: ServiceDescriptor
  readonly impl: object
}

/**
 * Checks that a service can be served beside others.
 * @throws VoloError INVALID_ARGUMENT if a method has no handler, or if there is a service of that name.
 */
export function checkService({ descriptor, impl }: ServedService, others: readonly ServedService[]): void {
  if (isAnyService(descriptor) && passagesOf(descriptor).length === 0) {
    throw new VoloError(
      'INVALID_ARGUMENT',
      'AnyService has no methods to be answered; pass its calls on with proxy(AnyService, upstream), or answer them with unknownMethod',
    )
  }
  const missing = Object.values(descriptor.methods).filter((method) => handlerOf(impl, method) === undefined)
  if (missing.length > 0) {
    const names = missing.map((method) => `'${method.name}'`).join(', ')
    throw new VoloError(
      'INVALID_ARGUMENT',
      `${descriptor.name} has no handler for ${names}; add a function of that name`,
    )
  }
  if (
    others.some(
      (other) => other.descriptor.protocol === descriptor.protocol && other.descriptor.name === descriptor.name,
    )
  ) {
    throw new VoloError('INVALID_ARGUMENT', `the server has a service ${descriptor.name} already`)
  }
}

/** Methods of one service whose calls go one way. */
export interface PassedMethods {
  readonly passage: Passage
  /** Index into the services that the core is told to serve. */
  readonly service: number
  /** Indexes into the program that the server has made of all its services' programs. */
  readonly methods: readonly number[]
}

/** The services of one protocol as the core and the dispatch know them. */
export interface Serving {
  /** What the core is told to serve. */
  readonly native: NativeServices
  /** Methods by their index in the program. */
  readonly methods: readonly (ServedMethod | undefined)[]
  readonly passed: readonly PassedMethods[]
}

/** The services of a protocol; undefined if there are none. Those of several builds become one program. */
export function servingOf(services: readonly ServedService[], protocol: Protocol, home: Isolate): Serving | undefined {
  const own = services.filter(({ descriptor }) => descriptor.protocol === protocol && !isAnyService(descriptor))
  if (own.length === 0) return undefined
  const programs = new Map(own.map(({ descriptor: { program } }) => [program.hash, program]))
  const hashes = [...programs.keys()]
  for (const program of programs.values()) checkLayout(program)
  const { program, bases } = linkPrograms([...programs.values()])
  const methods: (ServedMethod | undefined)[] = []
  const passed: PassedMethods[] = []
  const indexes = own.map(({ descriptor: service, impl }, at) => {
    const base = bases[hashes.indexOf(service.program.hash)]
    for (const passage of passagesOf(service)) {
      passed.push({ passage, service: at, methods: passage.methods.map((index) => base.methods + index) })
    }
    for (const method of Object.values(service.methods)) {
      const handler = handlerOf(impl, method)
      if (handler === undefined) continue
      const index = base.methods + method.index
      while (methods.length <= index) methods.push(undefined)
      methods[index] = {
        info: methodInfo(service, method),
        descriptor: method,
        index,
        handler: handler.bind(impl),
        isRaw: false,
      }
    }
    return base.services + service.index
  })
  return { native: { program: home.load(program), services: indexes }, methods, passed }
}

/** Calls that are passed on though no service has their methods. */
export function restOf(services: readonly ServedService[]): readonly PassedMethods[] {
  const any = services.filter(({ descriptor }) => isAnyService(descriptor))
  return any.flatMap(({ descriptor }) =>
    passagesOf(descriptor).map((passage) => ({ passage, service: 0, methods: [] })),
  )
}

/** The function that answers a method; what every object inherits does not count. */
function handlerOf(impl: object, method: MethodDescriptor): ServedMethod['handler'] | undefined {
  const value: unknown = (impl as Record<string, unknown>)[method.name]
  if (typeof value !== 'function') return undefined
  const inherited: unknown = (Object.prototype as unknown as Record<string, unknown>)[method.name]
  return value === inherited ? undefined : (value as ServedMethod['handler'])
}
