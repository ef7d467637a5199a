/**
 * Descriptors: what generated code says about services, and all that servers and clients know of them.
 *
 * They are made by `volo build` or `loadThrift`; nobody writes one by hand.
 */
import type { InTape } from './tape/reader.js'
import type { OutTape } from './tape/writer.js'

/** A compiled set of IDL files: every service of one build belongs to one program. */
export interface Program {
  /** Version of the tape's layout its readers and writers were made for. */
  readonly layout: number
  /** Hash of {@link Program.schema}, as hexadecimal digits; two programs with the same hash have the same wire format. */
  readonly hash: string
  /** The wire schema as JSON, for `Core.loadSchema`: types, methods and services, no comments or constants. */
  readonly schema: string
}

/** What a service speaks; {@link MessageDescriptor}s belong to `grpc`. */
export type Protocol = 'thrift' | 'grpc'

/** Which sides of a method send any number of messages instead of one. */
export type MethodShape = 'unary' | 'clientStream' | 'serverStream' | 'bidiStream'

/**
 * One method: its names and its codecs.
 *
 * In Thrift the request is the value of the only argument, an object of the arguments by name where there are several, `{}` where there
 * are none; in gRPC it is a message, and so is the response. `ReqInit` and `ResInit` are what writers take: in Protobuf fields that have a
 * zero or default value may be left out there, while readers always give them.
 */
export interface MethodDescriptor<Req = unknown, Res = unknown, ReqInit = Req, ResInit = Res> {
  /** Name in JavaScript: camelCase of {@link MethodDescriptor.wireName}. */
  readonly name: string
  /** Name in the IDL and on the wire. */
  readonly wireName: string
  /** Index into the program's methods: what stands in the header of a message on the tape. */
  readonly index: number
  /** Nobody waits for an answer. */
  readonly oneway: boolean
  /** The IDL says `(idempotent = "true")`, or gives it an `idempotency_level`: a call may be repeated when nobody knows whether it was processed. */
  readonly idempotent: boolean
  /** Annotations of the IDL. */
  readonly annotations: Readonly<Record<string, string>>
  /**
   * Reads the request.
   * @param p the first slot of its struct: in Thrift that of a CALL's body, in gRPC where the message's pointer leads.
   * @throws TapeTypeError if an argument that is not `optional` is missing.
   */
  readArgs(t: InTape, p: number): Req
  /**
   * Writes the request into the message that is open on the tape: in Thrift as its body, in gRPC behind the slots that its body begins with.
   * A {@link GrpcMethodDescriptor}'s returns the first slot of the struct, to be pointed to.
   * @throws TapeTypeError, TapeRangeError naming the path of the value the IDL does not allow; then roll back.
   */
  writeArgs(t: OutTape, request: ReqInit): void
  /**
   * Reads the result of a REPLY, or the response of a gRPC call.
   * @param p as for {@link MethodDescriptor.readArgs}.
   * @throws the declared exception if the result holds one; ThriftApplicationError MISSING_RESULT if it is empty and should not be.
   */
  readResult(t: InTape, p: number): Res
  /** Writes a handler's value. Lays, returns and throws as {@link MethodDescriptor.writeArgs} does. */
  writeResult(t: OutTape, value: ResInit): void
  /**
   * Writes an error as the body of the open message if it is one of the method's declared exceptions.
   * @returns false, with nothing written, if it is not. Throws as {@link writeArgs} does if its fields are wrong.
   */
  writeException(t: OutTape, error: unknown): boolean
}

/** What a message of Protobuf may have beside its fields; and a struct of Thrift, where the build keeps unknown fields. */
export interface UnknownFields {
  /** Fields that the schema does not know, as they came (of Thrift, as the binary protocol has them); they are written back. */
  $unknown?: Uint8Array | undefined
}

/** A message of Protobuf: `ItemSchema` of generated code. */
export interface MessageDescriptor<Message = unknown, Init = Message> {
  /** Full name, `package.Outer.Inner`. */
  readonly name: string
  readonly program: Program
  /** Index into the program's structs. */
  readonly index: number
  /** Reads the message whose struct begins at slot `p`. */
  read(t: InTape, p: number): Message
  /**
   * Writes a message into what is open on the tape.
   * @returns the first slot of its struct.
   * @throws TapeTypeError, TapeRangeError naming the path of the value the IDL does not allow; then roll back.
   */
  write(t: OutTape, value: Init): number
}

/** What a message is when it is read. */
export type MessageOf<D extends MessageDescriptor> =
  D extends MessageDescriptor<infer Message, infer _> ? Message : never

/** What a message may be when it is written. */
export type MessageInitOf<D extends MessageDescriptor> = D extends MessageDescriptor<infer _, infer Init> ? Init : never

/** A method of gRPC. `readArgs` and the other codecs are those of its two messages. */
export interface GrpcMethodDescriptor<
  Shape extends MethodShape = MethodShape,
  Input extends MessageDescriptor = MessageDescriptor,
  Output extends MessageDescriptor = MessageDescriptor,
> extends MethodDescriptor<MessageOf<Input>, MessageOf<Output>, MessageInitOf<Input>, MessageInitOf<Output>> {
  readonly kind: Shape
  /** `/package.Service/Method`. */
  readonly path: string
  readonly input: Input
  readonly output: Output
  writeArgs(t: OutTape, request: MessageInitOf<Input>): number
  writeResult(t: OutTape, value: MessageInitOf<Output>): number
}

/** Methods by their JavaScript name. */
export type MethodTable = Readonly<Record<string, MethodDescriptor>>

/** A service: `ItemService` of generated code. */
export interface ServiceDescriptor<Methods extends MethodTable = MethodTable, P extends Protocol = Protocol> {
  /** Name as in the IDL; in gRPC the full one, `package.Service`. */
  readonly name: string
  readonly protocol: P
  readonly program: Program
  /** Index into the program's services: what `Core.listen` takes. */
  readonly index: number
  /** Inherited methods first. Own properties only: a method may be called `constructor` or `__proto__`. */
  readonly methods: Methods
}

/** Methods of gRPC by their JavaScript name. */
export type GrpcMethodTable = Readonly<Record<string, GrpcMethodDescriptor>>

/** A service of Thrift. */
export type ThriftServiceDescriptor<Methods extends MethodTable = MethodTable> = ServiceDescriptor<Methods, 'thrift'>

/** A service of gRPC. */
export type GrpcServiceDescriptor<Methods extends GrpcMethodTable = GrpcMethodTable> = ServiceDescriptor<
  Methods,
  'grpc'
>

/** The request of a method as its handler gets it: `RequestOf<typeof ItemService, 'getItem'>`. One of them where they are a stream. */
export type RequestOf<Service extends ServiceDescriptor, Name extends keyof Service['methods']> =
  Service['methods'][Name] extends MethodDescriptor<infer Req, infer _Res, infer _ReqInit, infer _ResInit> ? Req : never

/** The response of a method as its caller gets it: `ResponseOf<typeof ItemService, 'getItem'>`. One of them where they are a stream. */
export type ResponseOf<Service extends ServiceDescriptor, Name extends keyof Service['methods']> =
  Service['methods'][Name] extends MethodDescriptor<infer _Req, infer Res, infer _ReqInit, infer _ResInit> ? Res : never

/** What a caller may give as the request of a method. */
export type RequestInitOf<Service extends ServiceDescriptor, Name extends keyof Service['methods']> =
  Service['methods'][Name] extends MethodDescriptor<infer _Req, infer _Res, infer ReqInit, infer _ResInit>
    ? ReqInit
    : never

/** What a handler may give as the response of a method. */
export type ResponseInitOf<Service extends ServiceDescriptor, Name extends keyof Service['methods']> =
  Service['methods'][Name] extends MethodDescriptor<infer _Req, infer _Res, infer _ReqInit, infer ResInit>
    ? ResInit
    : never

/** Which sides of a method are streams; Thrift has none. */
export type ShapeOf<
  Service extends ServiceDescriptor,
  Name extends keyof Service['methods'],
> = Service['methods'][Name] extends { readonly kind: infer Shape extends MethodShape } ? Shape : 'unary'
