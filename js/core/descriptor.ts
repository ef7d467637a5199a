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

/**
 * One method: its names and its four codecs.
 *
 * The request is the value of the only argument, an object of the arguments by name where there are several, `{}` where there
 * are none. `Req` and `Res` are held by the codecs' signatures, so `infer` finds them.
 */
export interface MethodDescriptor<Req = unknown, Res = unknown> {
  /** Name in JavaScript: camelCase of {@link MethodDescriptor.wireName}. */
  readonly name: string
  /** Name in the IDL and on the wire. */
  readonly wireName: string
  /** Index into the program's methods: what stands in the header of a message on the tape. */
  readonly index: number
  /** Nobody waits for an answer. */
  readonly oneway: boolean
  /** The IDL says `(idempotent = "true")`: a call may be repeated when nobody knows whether it was processed. */
  readonly idempotent: boolean
  /** Annotations of the IDL. */
  readonly annotations: Readonly<Record<string, string>>
  /**
   * Reads the request of a CALL.
   * @param p the body's first slot.
   * @throws TapeTypeError if an argument that is not `optional` is missing.
   */
  readArgs(t: InTape, p: number): Req
  /**
   * Writes the request as the body of the message that is open on the tape.
   * @throws TapeTypeError, TapeRangeError naming the path of the value the IDL does not allow; then roll back.
   */
  writeArgs(t: OutTape, request: Req): void
  /**
   * Reads the result of a REPLY.
   * @param p the body's first slot.
   * @throws the declared exception if the result holds one; ThriftApplicationError MISSING_RESULT if it is empty and should not be.
   */
  readResult(t: InTape, p: number): Res
  /** Writes a handler's value as the body of the message that is open on the tape. Throws as {@link writeArgs} does. */
  writeResult(t: OutTape, value: Res): void
  /**
   * Writes an error as the body of the open message if it is one of the method's declared exceptions.
   * @returns false, with nothing written, if it is not. Throws as {@link writeArgs} does if its fields are wrong.
   */
  writeException(t: OutTape, error: unknown): boolean
}

/** Methods by their JavaScript name. */
export type MethodTable = Readonly<Record<string, MethodDescriptor>>

/** A service: `ItemService` of generated code. */
export interface ServiceDescriptor<Methods extends MethodTable = MethodTable> {
  /** Name as in the IDL. */
  readonly name: string
  readonly protocol: 'thrift'
  readonly program: Program
  /** Index into the program's services: what `Core.listen` takes. */
  readonly index: number
  /** Inherited methods first. Own properties only: a method may be called `constructor` or `__proto__`. */
  readonly methods: Methods
}

/** The request of a method: `RequestOf<typeof ItemService, 'getItem'>`. */
export type RequestOf<Service extends ServiceDescriptor, Name extends keyof Service['methods']> =
  Service['methods'][Name] extends MethodDescriptor<infer Req> ? Req : never

/** The response of a method: `ResponseOf<typeof ItemService, 'getItem'>`. */
export type ResponseOf<Service extends ServiceDescriptor, Name extends keyof Service['methods']> =
  Service['methods'][Name] extends MethodDescriptor<infer _Req, infer Res> ? Res : never
