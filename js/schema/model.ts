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
}

/** One IDL file. */
export interface File {
  /** Path as it was given or included, with `/`. */
  readonly path: string
  /** True for the files named by the user, false for included ones. */
  readonly root: boolean
  /** Namespace by language. */
  readonly namespaces?: Readonly<Record<string, string>>
  /** Included files. */
  readonly includes?: readonly number[]
}

/** A type without parts. */
export type Scalar = 'bool' | 'i8' | 'i16' | 'i32' | 'i64' | 'double' | 'string' | 'binary' | 'uuid'

/** A resolved type. */
export type Type =
  | Scalar
  | { readonly enum: number }
  | { readonly struct: number }
  | { readonly list: Type }
  | { readonly set: Type }
  | { readonly map: readonly [key: Type, value: Type] }

/** What a struct is in the IDL; `args` and `result` are made for methods. */
export type StructKind = 'struct' | 'union' | 'exception' | 'args' | 'result'

/** A struct, union, exception, or a method's arguments or result. */
export interface Struct {
  /** Name as in the IDL; `Service.method_args` and `Service.method_result` for the made ones. */
  readonly name: string
  readonly file: number
  readonly kind: StructKind
  /** In the order of the IDL; the position is the field's place on the tape. */
  readonly fields: readonly Field[]
  readonly annotations?: Annotations
  readonly doc?: string
}

/** How a field may be missing. */
export type Requiredness = 'default' | 'required' | 'optional'

/** A field of a struct. */
export interface Field {
  readonly id: number
  readonly name: string
  readonly type: Type
  /** `default` if it is not there. */
  readonly requiredness?: Requiredness
  readonly default?: Value
  readonly annotations?: Annotations
  readonly doc?: string
}

/** A constant value, checked against its type. Integers are decimal strings. */
export type Value =
  | { readonly bool: boolean }
  | { readonly int: string }
  | { readonly double: number }
  | { readonly string: string }
  | { readonly list: readonly Value[] }
  | { readonly map: readonly (readonly [key: Value, value: Value])[] }
  | { readonly struct: readonly (readonly [field: string, value: Value])[] }

/** An enum. */
export interface Enum {
  readonly name: string
  readonly file: number
  readonly members: readonly EnumMember[]
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
