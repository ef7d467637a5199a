import type {
  GrpcMethodDescriptor,
  GrpcServiceDescriptor,
  MessageDescriptor,
  MethodShape,
  Program,
} from '../core/descriptor.js'
import { VoloError } from '../core/errors.js'
import { LAYOUT_VERSION } from '../core/tape/layout.js'
import type { InTape } from '../core/tape/reader.js'
import type { OutTape } from '../core/tape/writer.js'
import type { Schema } from '../schema/model.js'
import { schemaHash } from '../schema/program.js'
import type {
  GenericServiceDefinition,
  MethodDefinition,
  MethodsOfDefinition,
  MethodsOfGeneric,
  ServiceDefinition,
} from './definition.js'
import { GrpcError } from './grpc-error.js'

/** A method of either form. */
interface ForeignMethod extends Pick<MethodDefinition, 'requestStream' | 'responseStream'> {
  /** Name of its handler. */
  readonly name: string
  readonly wireName: string
  readonly idempotent: boolean
  readonly requestSerialize: (value: unknown) => Uint8Array
  readonly requestDeserialize: (bytes: Buffer) => unknown
  readonly responseSerialize: (value: unknown) => Uint8Array
  readonly responseDeserialize: (bytes: Buffer) => unknown
}

/** The only message of such a program: its bytes pass as they are. */
const OPAQUE = 0

/** One presence slot, and one of the bytes. */
const SLOTS = 2

const known = new WeakMap<object, GrpcServiceDescriptor>()

/**
 * A service whose messages another library reads and writes, to be served and called as those of `volo build`. Messages cross into JavaScript
 * as bytes, many at once; the library's own functions do the rest, so messages look as they do there.
 *
 * @param definition one in grpc-js's form, where every method has its `requestSerialize` and the other three (`grpc-tools`, `@grpc/proto-loader`,
 *   ts-proto with `outputServices=grpc-js`), or a generic one of ts-proto. Handlers and clients have the names of its methods.
 * @throws VoloError INVALID_ARGUMENT if it is neither, or its methods belong to several services.
 * @example
 * await Server.of(fromDefinition(ItemServiceService), { getItem: ({ id }) => ({ item: find(id) }) }).run(':8080')
 */
export function fromDefinition<D extends GenericServiceDefinition>(
  definition: D,
): GrpcServiceDescriptor<MethodsOfGeneric<D>>
export function fromDefinition<D extends object>(definition: D): GrpcServiceDescriptor<MethodsOfDefinition<D>>
export function fromDefinition(definition: object): GrpcServiceDescriptor {
  let found = known.get(definition)
  if (found === undefined) {
    found = isGeneric(definition)
      ? serviceOf(definition.fullName, methodsOfGeneric(definition))
      : serviceOf(...methodsOfDefinition(definition as ServiceDefinition))
    known.set(definition, found)
  }
  return found
}

function isGeneric(definition: object): definition is GenericServiceDefinition {
  const { fullName, methods } = definition as Partial<GenericServiceDefinition>
  return typeof fullName === 'string' && typeof methods === 'object'
}

function methodsOfGeneric({ methods }: GenericServiceDefinition): ForeignMethod[] {
  return Object.entries(methods).map(([name, method]) => {
    const { requestType, responseType, requestStream, responseStream, options } = method
    const level = options?.idempotencyLevel
    return {
      name,
      wireName: method.name,
      requestStream,
      responseStream,
      idempotent: level === 'IDEMPOTENT' || level === 'NO_SIDE_EFFECTS',
      requestSerialize: (value) => requestType.encode(value as never).finish(),
      requestDeserialize: (bytes) => requestType.decode(bytes),
      responseSerialize: (value) => responseType.encode(value as never).finish(),
      responseDeserialize: (bytes) => responseType.decode(bytes),
    }
  })
}

function methodsOfDefinition(definition: ServiceDefinition): [service: string, methods: ForeignMethod[]] {
  const services = new Set<string>()
  const methods = Object.entries(definition).map(([name, method]): ForeignMethod => {
    const [, service, wireName] = /^\/(.+)\/([^/]+)$/.exec(method.path) ?? []
    const complete = functions.every((each) => typeof method[each] === 'function')
    if (service === undefined || !complete) {
      throw new VoloError(
        'INVALID_ARGUMENT',
        `'${name}' is no method of a service definition: it has a path '/package.Service/Method' and the functions ${functions.join(', ')}`,
      )
    }
    services.add(service)
    return {
      name,
      wireName,
      requestStream: method.requestStream,
      responseStream: method.responseStream,
      idempotent: false,
      requestSerialize: (value) => method.requestSerialize(value as never),
      requestDeserialize: (bytes) => method.requestDeserialize(bytes),
      responseSerialize: (value) => method.responseSerialize(value as never),
      responseDeserialize: (bytes) => method.responseDeserialize(bytes),
    }
  })
  const [service] = services
  if (services.size === 1) return [service, methods]
  throw new VoloError(
    'INVALID_ARGUMENT',
    services.size === 0
      ? 'the service definition has no methods'
      : `the service definition has methods of ${[...services].join(' and ')}; give each service its own`,
  )
}

const functions = ['requestSerialize', 'requestDeserialize', 'responseSerialize', 'responseDeserialize'] as const

function serviceOf(service: string, methods: readonly ForeignMethod[]): GrpcServiceDescriptor {
  const schema = JSON.stringify({
    structs: [{ name: 'bytes', file: 0, kind: 'opaque', fields: [] }],
    methods: methods.map(({ wireName, requestStream, responseStream }) => ({
      name: wireName,
      service: 0,
      client_streaming: requestStream,
      server_streaming: responseStream,
      args: OPAQUE,
      result: OPAQUE,
    })),
    services: [{ name: service, file: 0, methods: methods.map((_, index) => index) }],
  } satisfies Schema)
  const program: Program = { layout: LAYOUT_VERSION, hash: schemaHash(schema), schema }
  const table = methods.map((method, index) => [method.name, methodOf(service, program, method, index)] as const)
  return { name: service, protocol: 'grpc', program, index: 0, methods: Object.fromEntries(table) }
}

function methodOf(service: string, program: Program, method: ForeignMethod, index: number): GrpcMethodDescriptor {
  const called = `${service}.${method.wireName}`
  const input = messageOf(program, `the request of ${called}`, method.requestSerialize, method.requestDeserialize)
  const output = messageOf(program, `the response of ${called}`, method.responseSerialize, method.responseDeserialize)
  return {
    name: method.name,
    wireName: method.wireName,
    index,
    kind: shapeOf(method),
    path: `/${service}/${method.wireName}`,
    oneway: false,
    idempotent: method.idempotent,
    annotations: {},
    input,
    output,
    readArgs: (t, p) => input.read(t, p),
    writeArgs: (t, request) => input.write(t, request),
    readResult: (t, p) => output.read(t, p),
    writeResult: (t, value) => output.write(t, value),
    writeException: () => false,
  }
}

function shapeOf({ requestStream, responseStream }: ForeignMethod): MethodShape {
  if (requestStream) return responseStream ? 'bidiStream' : 'clientStream'
  return responseStream ? 'serverStream' : 'unary'
}

/** @param name how errors call it. */
function messageOf(
  program: Program,
  name: string,
  serialize: (value: unknown) => Uint8Array,
  deserialize: (bytes: Buffer) => unknown,
): MessageDescriptor {
  return {
    name,
    program,
    index: OPAQUE,
    read(t: InTape, p: number) {
      // Before the library runs, which may make calls: nothing of the tape is looked at afterwards.
      const { buffer, byteOffset, length } = t.binary(p + 1)
      try {
        return deserialize(Buffer.from(buffer as ArrayBuffer, byteOffset, length))
      } catch (cause) {
        throw new GrpcError('INTERNAL', `${name} cannot be read: ${textOf(cause)}`, { sent: 'yes', cause })
      }
    },
    write(t: OutTape, value) {
      const bytes = serialize(value)
      const q = t.alloc(SLOTS)
      t.i32[2 * q] = 1
      t.i32[2 * q + 1] = 0
      t.binary(q + 1, bytes)
      return q
    },
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
