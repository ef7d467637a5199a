/**
 * The schema: one description of types and methods. This is the JSON form of `crates/schema`, which defines it; indexes point
 * into the arrays of {@link Schema}.
 */

/** Annotations of the IDL, `(key = "value")`. */
export type Annotations = Readonly<Record<string, string>>

/** Everything one build describes. */
export interface Schema {
  /** The IDL files; roots first. */
  readonly files?: readonly File[]
  readonly enums?: readonly Enum[]
  /** Structs, unions, exceptions, and the argument and result structs of methods. */
  readonly structs: readonly Struct[]
  readonly typedefs?: readonly Typedef[]
  readonly consts?: readonly Const[]
  /** All methods of all services, each once. */
  readonly methods: readonly Method[]
  readonly services: readonly Service[]
  /** Protobuf: the `google.protobuf.FileDescriptorSet` it was made from, in base64. */
  readonly descriptors?: string
}

/** One IDL file. */
export interface File {
  /** Path as it was given or included, with `/`. */
  readonly path: string
  /** True for the files named by the user, false for included ones. */
  readonly root: boolean
  /** Namespace by language. */
  readonly namespaces?: Readonly<Record<string, string>>
  /** Protobuf: its package. */
  readonly package?: string
  /** Included files. */
  readonly includes?: readonly number[]
}

/** A type without parts that Thrift has; Protobuf's `int32`, `int64` and `bytes` are `i32`, `i64` and `binary`. */
export type Scalar = 'bool' | 'i8' | 'i16' | 'i32' | 'i64' | 'double' | 'string' | 'binary' | 'uuid' | ProtobufScalar

/** A type without parts that only Protobuf has. */
export type ProtobufScalar =
  'uint32' | 'sint32' | 'fixed32' | 'sfixed32' | 'uint64' | 'sint64' | 'fixed64' | 'sfixed64' | 'float'

/** A resolved type. */
export type Type =
  | Scalar
  | { readonly enum: number }
  | { readonly struct: number }
  | { readonly list: Type }
  | { readonly set: Type }
  | { readonly map: readonly [key: Type, value: Type] }

/**
 * What a struct is in the IDL; `args` and `result` are made for methods. An `opaque` message is one that a codec of the user's reads and writes: all of
 * its bytes are what the schema does not know.
 */
export type StructKind = 'struct' | 'union' | 'exception' | 'args' | 'result' | 'message' | 'opaque'

/**
 * A struct, union, exception, a method's arguments or result, or a Protobuf message. What keeps the fields that the schema does not know, as messages
 * do, has one field more on the tape: a binary of them.
 */
export interface Struct {
  /** Name as in the IDL; `Service.method_args` and `Service.method_result` for the made ones. */
  readonly name: string
  readonly file: number
  readonly kind: StructKind
  /** In the order of the IDL; the position is the field's place on the tape. */
  readonly fields: readonly Field[]
  /** Thrift: it keeps the fields that the schema does not know. */
  readonly keep_unknown?: boolean
  /** Protobuf: names of its oneofs; fields refer to them by index. */
  readonly oneofs?: readonly string[]
  readonly annotations?: Annotations
  readonly doc?: string
}

/** How a field may be missing. In Protobuf `default` has no presence of its own: absent is zero or empty; `optional` has. */
export type Requiredness = 'default' | 'required' | 'optional'

/** A field of a struct. */
export interface Field {
  readonly id: number
  readonly name: string
  readonly type: Type
  /** `default` if it is not there. */
  readonly requiredness?: Requiredness
  readonly default?: Value
  /** Protobuf: a repeated field is written packed. */
  readonly packed?: boolean
  /** Protobuf: marked off by group tags. */
  readonly delimited?: boolean
  /** Protobuf: invalid UTF-8 is let through. */
  readonly unchecked_utf8?: boolean
  /** Protobuf: the oneof it is a member of. */
  readonly oneof?: number
  /** Protobuf: name in JSON, where it is not lowerCamelCase of the name (without `_`, the letter behind each raised, all else as it is). */
  readonly json_name?: string
  readonly annotations?: Annotations
  readonly doc?: string
}

/**
 * A constant value, checked against its type. Integers are decimal strings, doubles that JSON has no form for their names, Protobuf's bytes
 * base64.
 */
export type Value =
  | { readonly bool: boolean }
  | { readonly int: string }
  | { readonly double: number | 'NaN' | 'Infinity' | '-Infinity' }
  | { readonly string: string }
  | { readonly binary: string }
  | { readonly list: readonly Value[] }
  | { readonly map: readonly (readonly [key: Value, value: Value])[] }
  | { readonly struct: readonly (readonly [field: string, value: Value])[] }

/** An enum. */
export interface Enum {
  readonly name: string
  readonly file: number
  readonly members: readonly EnumMember[]
  /** Protobuf: a number it does not name is no value of it. */
  readonly closed?: boolean
  readonly annotations?: Annotations
  readonly doc?: string
}

/** A member of an enum. */
export interface EnumMember {
  readonly name: string
  readonly value: number
  readonly doc?: string
}

/** A typedef. */
export interface Typedef {
  readonly name: string
  readonly file: number
  readonly type: Type
  readonly doc?: string
}

/** A constant. */
export interface Const {
  readonly name: string
  readonly file: number
  readonly type: Type
  readonly value: Value
  readonly doc?: string
}

/** A method of a service. */
export interface Method {
  /** Name on the wire. */
  readonly name: string
  /** The service that declares it. */
  readonly service: number
  readonly oneway?: boolean
  /** gRPC: the client sends any number of requests. */
  readonly client_streaming?: boolean
  /** gRPC: the server sends any number of responses. */
  readonly server_streaming?: boolean
  readonly args: number
  /** None for oneway methods. */
  readonly result?: number
  readonly annotations?: Annotations
  readonly doc?: string
}

/** A service. */
export interface Service {
  readonly name: string
  readonly file: number
  readonly extends?: number
  /** Inherited ones first. */
  readonly methods: readonly number[]
  readonly annotations?: Annotations
  readonly doc?: string
}

/** How 64-bit integers appear in JavaScript. */
export type Int64 = 'bigint' | 'number'
