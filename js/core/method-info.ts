import type { GrpcMethodDescriptor, MethodDescriptor, MethodShape, ServiceDescriptor } from './descriptor.js'

/** How many messages a method takes and gives; `oneway` gives no answer at all. */
export type MethodKind = MethodShape | 'oneway'

/** What the IDL says about a method. */
export interface MethodInfo {
  /** Name of the service in the IDL. */
  readonly service: string
  /** Name in TypeScript: `getItem`. */
  readonly name: string
  /** Name on the wire: `GetItem`. */
  readonly wireName: string
  readonly kind: MethodKind
  /** True if the IDL marks it `(idempotent = "true")`: repeating it does no harm. */
  readonly idempotent: boolean
  /** Annotations of the method in the IDL. */
  readonly annotations: Readonly<Record<string, string>>
}

/** What a context says about a method of a descriptor. */
export function methodInfo(service: Pick<ServiceDescriptor, 'name'>, method: MethodDescriptor): MethodInfo {
  return {
    service: service.name,
    name: method.name,
    wireName: method.wireName,
    kind: method.oneway ? 'oneway' : 'kind' in method ? (method as GrpcMethodDescriptor).kind : 'unary',
    idempotent: method.idempotent,
    annotations: method.annotations,
  }
}
