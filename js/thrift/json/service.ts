/** Services whose requests and responses are JSON. */
import type {
  MethodDescriptor,
  MethodTable,
  RequestInitOf,
  RequestOf,
  ResponseInitOf,
  ResponseOf,
  ThriftServiceDescriptor,
} from '../../core/descriptor.js'
import { VoloError } from '../../core/errors.js'
import { define } from '../../core/tape/checks.js'
import type { InTape } from '../../core/tape/reader.js'
import type { OutTape } from '../../core/tape/writer.js'
import { presence } from '../../schema/interpret.js'
import { interpreterOf } from '../../schema/program.js'
import { JsonCodecs, type JsonCodec } from './codec.js'
import { JsonException } from './json-exception.js'
import type { AnyJsonOptions, JsonIn, JsonOptions, JsonOut } from './options.js'

/** A service whose requests and responses are JSON, in the form that the options choose. */
export type JsonService<
  S extends ThriftServiceDescriptor,
  Options extends AnyJsonOptions = JsonOptions,
> = ThriftServiceDescriptor<{
  readonly [Name in keyof S['methods']]: MethodDescriptor<
    JsonOut<Options>,
    JsonOut<Options>,
    JsonIn<Options>,
    // A handler of a method without a response need not give one.
    // eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- it is what handlers return
    ResponseOf<S, Name> extends void ? JsonIn<Options> | void : JsonIn<Options>
  >
}>

/** The request, the response and the exceptions of a method, and their JSON. */
export interface JsonMethod<
  Options extends AnyJsonOptions = JsonOptions,
  Req = unknown,
  Res = unknown,
  ReqInit = Req,
  ResInit = Res,
> {
  /** What clients give and handlers take. */
  readonly request: JsonCodec<JsonOut<Options>, JsonIn<Options>, ReqInit, Req | ReqInit>
  /** What handlers give and clients take; `null` where there is none. */
  readonly response: JsonCodec<JsonOut<Options>, JsonIn<Options>, ResInit, Res | ResInit>
  /** Declared exceptions by name. */
  readonly exceptions: ReadonlyMap<string, JsonCodec<JsonOut<Options>, JsonIn<Options>>>
}

/**
 * The same service with requests, responses and exceptions as JSON: its clients and handlers take and give values for `JSON.stringify`, or text with
 * `{ text: true }`. On the wire nothing changes, and layers, pools, limits are those of every service.
 *
 * Structs are objects of their fields by the names of the IDL; absent fields are left out, and `null` means absent. Unions have one member. Lists and sets
 * are arrays, maps objects, binary is base64, doubles that are no numbers are `"NaN"`, `"Infinity"`, `"-Infinity"`. A map whose keys are structs or
 * containers has no form and is refused when it is met. Objects and arrays may be nested 100 levels deep.
 *
 * @throws VoloError INVALID_ARGUMENT if it is no service of Thrift.
 * @example
 * const client = Client.of(json(ItemService), 'shop.item').address('[::1]:8080').build()
 * await client.getItem({ id: 1024 }) // { item: { id: 1024, title: 'Hello Volo', content: '…' } }
 */
export function json<S extends ThriftServiceDescriptor, const Options extends AnyJsonOptions = JsonOptions>(
  service: S,
  options?: Options,
): JsonService<S, Options> {
  const codecs = codecsOf(service, options)
  const methods: Record<string, MethodDescriptor> = {}
  for (const [name, method] of Object.entries<MethodDescriptor>(service.methods)) {
    define(methods, name, jsonDescriptor(codecs, method))
  }
  return { ...service, methods } as unknown as JsonService<S, Options>
}

/**
 * The request, the response and the exceptions of one method, to be turned into JSON and back without a call.
 *
 * @param name as clients have it, camelCase.
 * @throws VoloError INVALID_ARGUMENT if the service has no such method, or is none of Thrift.
 * @example
 * const { request, response } = jsonMethod(ItemService, 'getItem')
 * response.toJson(await client.getItem(request.fromJson(JSON.parse(body))))
 */
export function jsonMethod<
  S extends ThriftServiceDescriptor,
  Name extends keyof S['methods'] & string,
  const Options extends AnyJsonOptions = JsonOptions,
>(
  service: S,
  name: Name,
  options?: Options,
): JsonMethod<Options, RequestOf<S, Name>, ResponseOf<S, Name>, RequestInitOf<S, Name>, ResponseInitOf<S, Name>> {
  const codecs = codecsOf(service, options)
  const methods: MethodTable = service.methods
  if (!Object.hasOwn(methods, name)) {
    throw new VoloError('INVALID_ARGUMENT', `${service.name} has no method ${JSON.stringify(name)}`)
  }
  const method = codecs.interpreter.schema.methods[methods[name].index]
  const exceptions = codecs.exceptions(method).map((exception) => [exception.name, exception.codec] as const)
  const parts = { request: codecs.request(method), response: codecs.response(method), exceptions: new Map(exceptions) }
  return parts as unknown as ReturnType<typeof jsonMethod<S, Name, Options>>
}

function codecsOf(service: ThriftServiceDescriptor, options: AnyJsonOptions = {}): JsonCodecs {
  // Descriptors that are only known at run time may be of either protocol.
  if ((service.protocol as string) !== 'thrift') {
    throw new VoloError(
      'INVALID_ARGUMENT',
      `${service.name} is no service of Thrift; messages of gRPC have toJson in volo-js/protobuf`,
    )
  }
  return new JsonCodecs(interpreterOf(service.program), options)
}

function jsonDescriptor(codecs: JsonCodecs, inner: MethodDescriptor): MethodDescriptor {
  const { interpreter } = codecs
  const method = interpreter.schema.methods[inner.index]
  const request = codecs.request(method)
  const response = codecs.response(method)
  const exceptions = codecs.exceptions(method).map(({ name, position, codec }) => ({
    name,
    codec,
    isThere: presence(position),
    write: interpreter.exceptionWriter(method, position),
  }))
  return {
    ...inner,
    readArgs: (t, p) => request.toJson(inner.readArgs(t, p)),
    writeArgs: (t, value) => inner.writeArgs(t, request.fromJson(value)),
    readResult(t, p) {
      if (inner.oneway) return response.toJson(undefined)
      const thrown = exceptions.find(({ isThere }) => isThere(t, p))
      if (thrown === undefined) return response.toJson(inner.readResult(t, p))
      const cause = thrownBy(inner, t, p)
      throw new JsonException(thrown.name, thrown.codec.toJson(cause), { cause })
    },
    writeResult: (t, value) => inner.writeResult(t, response.fromJson(value)),
    writeException(t: OutTape, error: unknown) {
      if (!(error instanceof JsonException)) return inner.writeException(t, error)
      const declared = exceptions.find(({ name }) => name === error.exception)
      declared?.write(t, declared.codec.fromJson(error.json))
      return declared !== undefined
    },
  }
}

/** The exception that a result holds. */
function thrownBy(method: MethodDescriptor, t: InTape, p: number): unknown {
  try {
    method.readResult(t, p)
  } catch (error) {
    return error
  }
  throw new TypeError(`${method.wireName} threw no exception, though its result has one`)
}
