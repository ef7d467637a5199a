import {
  type DescFile,
  type DescMessage,
  type DescMethod,
  type DescService,
  type MessageInitShape,
  type MessageShape,
} from '@bufbuild/protobuf'

import type { GrpcMethodDescriptor, GrpcServiceDescriptor, MessageDescriptor } from '../core/descriptor.js'
import { compileSchema } from '../schema/compile.js'
import { parseDescriptorSet } from '../schema/parse.js'
import { fileSet } from './file-set.js'
import { ToOurs } from './to-ours.js'
import { ToTheirs } from './to-theirs.js'

/** A service as `protoc-gen-es` declares it: `GenService` of `@bufbuild/protobuf`. */
export type AnyGenService = Omit<DescService, 'method'> & {
  readonly method: Readonly<Record<string, Pick<DescMethod, 'input' | 'output' | 'methodKind'>>>
}

interface Shapes {
  readonly unary: 'unary'
  readonly server_streaming: 'serverStream'
  readonly client_streaming: 'clientStream'
  readonly bidi_streaming: 'bidiStream'
}

/** What the methods of a service take and give: messages of protobuf-es. */
export type MethodsOfGenService<S extends AnyGenService> = {
  readonly [K in keyof S['method']]: GrpcMethodDescriptor<
    Shapes[S['method'][K]['methodKind']],
    MessageDescriptor<MessageShape<S['method'][K]['input']>, MessageInitShape<S['method'][K]['input']>>,
    MessageDescriptor<MessageShape<S['method'][K]['output']>, MessageInitShape<S['method'][K]['output']>>
  >
}

/** Services of a file, by their full names. */
const known = new WeakMap<DescFile, ReadonlyMap<string, GrpcServiceDescriptor>>()

/**
 * A service of protobuf-es, to be served and called as those of `volo build`. Messages are read and written by volo-js, and look as protobuf-es has them:
 * with `$typeName`, what `create()` takes where they are written, maps as plain objects, wrappers unwrapped, `google.protobuf.Struct` as a JSON object. They
 * may be given to `toJson`, `equals` and all other functions of protobuf-es.
 *
 * @throws IdlError if the descriptors contradict each other.
 * @example
 * import { ItemService } from './gen/item_pb.js'
 *
 * await Server.of(fromGenService(ItemService), { getItem: ({ id }) => ({ item: find(id) }) }).run(':8080')
 */
export function fromGenService<S extends AnyGenService>(service: S): GrpcServiceDescriptor<MethodsOfGenService<S>> {
  let services = known.get(service.file)
  if (services === undefined) {
    services = servicesOf(service.file)
    known.set(service.file, services)
  }
  return services.get(service.typeName) as GrpcServiceDescriptor<MethodsOfGenService<S>>
}

function servicesOf(file: DescFile): ReadonlyMap<string, GrpcServiceDescriptor> {
  const schema = parseDescriptorSet(fileSet(file))
  const compiled = compileSchema(schema)
  const shape = { toOurs: new ToOurs(schema), toTheirs: new ToTheirs(schema) }
  return new Map(
    file.services.map((desc) => {
      const found = compiled.services.find(({ name }) => name === desc.typeName) as GrpcServiceDescriptor
      const methods = Object.values(found.methods).map((method) => {
        const its = desc.methods.find(({ name }) => name === method.wireName) as DescMethod
        return [its.localName, methodOf(its, method, shape)] as const
      })
      return [desc.typeName, { ...found, methods: Object.fromEntries(methods) }]
    }),
  )
}

interface Shape {
  readonly toOurs: ToOurs
  readonly toTheirs: ToTheirs
}

function methodOf(desc: DescMethod, method: GrpcMethodDescriptor, shape: Shape): GrpcMethodDescriptor {
  const input = messageOf(desc.input, method.input, shape)
  const output = messageOf(desc.output, method.output, shape)
  return {
    ...method,
    name: desc.localName,
    input,
    output,
    readArgs: (t, p) => input.read(t, p),
    writeArgs: (t, request) => input.write(t, request),
    readResult: (t, p) => output.read(t, p),
    writeResult: (t, value) => output.write(t, value),
  }
}

function messageOf(desc: DescMessage, message: MessageDescriptor, { toOurs, toTheirs }: Shape): MessageDescriptor {
  const [ours, theirs] = [toOurs.of(desc), toTheirs.of(desc)]
  return {
    ...message,
    read: (t, p) => theirs(message.read(t, p)),
    write: (t, value) => message.write(t, ours(value)),
  }
}
