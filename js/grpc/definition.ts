/**
 * Services whose messages another library reads and writes: definitions as grpc-js has them (`grpc-tools`, `ts-proto`, `@grpc/proto-loader`), and
 * ts-proto's generic ones.
 */
import type { GrpcMethodDescriptor, MessageDescriptor } from '../core/descriptor.js'

/** A method of a definition in grpc-js's form. */
export interface MethodDefinition {
  /** `/package.Service/Method`. */
  readonly path: string
  readonly requestStream: boolean
  readonly responseStream: boolean
  readonly requestSerialize: (value: never) => Uint8Array
  readonly requestDeserialize: (bytes: Buffer) => unknown
  readonly responseSerialize: (value: never) => Uint8Array
  readonly responseDeserialize: (bytes: Buffer) => unknown
}

/** A service in grpc-js's form: methods by the names their handlers have. */
export type ServiceDefinition = Readonly<Record<string, MethodDefinition>>

/** A message of ts-proto. */
export interface MessageFunctions {
  encode(message: never): { finish(): Uint8Array }
  decode(bytes: Uint8Array): unknown
}

/** A method of a generic definition of ts-proto. */
export interface GenericMethodDefinition {
  /** Name on the wire. */
  readonly name: string
  readonly requestType: MessageFunctions
  readonly requestStream: boolean
  readonly responseType: MessageFunctions
  readonly responseStream: boolean
  readonly options?: { readonly idempotencyLevel?: string | undefined } | undefined
}

/** A service of ts-proto with `outputServices=generic-definitions`. */
export interface GenericServiceDefinition {
  /** `package.Service`. */
  readonly fullName: string
  readonly methods: Readonly<Record<string, GenericMethodDefinition>>
}

/** Names a definition lists; grpc-js's types add an index signature to them. */
type Listed<D> = keyof { [K in keyof D as string extends K ? never : K]: D[K] }

/** Which sides of a method are streams. */
type ShapeOfStreams<Request extends boolean, Response extends boolean> = Request extends true
  ? Response extends true
    ? 'bidiStream'
    : 'clientStream'
  : Response extends true
    ? 'serverStream'
    : 'unary'

interface Streams {
  readonly requestStream: boolean
  readonly responseStream: boolean
}
type ShapeOfMethod<M> = M extends Streams ? ShapeOfStreams<M['requestStream'], M['responseStream']> : never

type Read<F> = F extends (bytes: Buffer) => infer Value ? Value : never
type Written<F> = F extends (value: infer Value) => unknown ? Value : never

/** What the methods of a definition in grpc-js's form take and give. */
export type MethodsOfDefinition<D> = {
  readonly [K in Listed<D>]: D[K] extends MethodDefinition
    ? GrpcMethodDescriptor<
        ShapeOfMethod<D[K]>,
        MessageDescriptor<Read<D[K]['requestDeserialize']>, Written<D[K]['requestSerialize']>>,
        MessageDescriptor<Read<D[K]['responseDeserialize']>, Written<D[K]['responseSerialize']>>
      >
    : never
}

type MessageOfFunctions<F> = F extends MessageFunctions
  ? MessageDescriptor<ReturnType<F['decode']>, Written<F['encode']>>
  : never

/** What the methods of a generic definition take and give. */
export type MethodsOfGeneric<D extends GenericServiceDefinition> = {
  readonly [K in keyof D['methods']]: GrpcMethodDescriptor<
    ShapeOfMethod<D['methods'][K]>,
    MessageOfFunctions<D['methods'][K]['requestType']>,
    MessageOfFunctions<D['methods'][K]['responseType']>
  >
}
