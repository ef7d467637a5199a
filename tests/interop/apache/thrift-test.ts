/** `ThriftTest.thrift` of Apache Thrift: its services, loaded at run time, and the types of their messages. */
import { exceptionsOf, loadThrift, type GenericService } from 'volo-js/thrift'

export const Numberz = { ONE: 1, TWO: 2, THREE: 3, FIVE: 5, SIX: 6, EIGHT: 8 } as const

export interface Xtruct {
  readonly string_thing?: string
  readonly byte_thing?: number
  readonly i32_thing?: number
  readonly i64_thing?: bigint
}

export interface Xtruct2 {
  readonly byte_thing?: number
  readonly struct_thing?: Xtruct
  readonly i32_thing?: number
}

export interface Insanity {
  readonly userMap?: Map<number, bigint>
  readonly xtructs?: readonly Xtruct[]
}

export interface Multi {
  readonly arg0: number
  readonly arg1: number
  readonly arg2: bigint
  readonly arg3: Map<number, string>
  readonly arg4: number
  readonly arg5: bigint
}

/** Methods of `ThriftTest`: what they take and what they give. */
export interface Methods {
  testVoid: [object, undefined]
  testString: [string, string]
  testBool: [boolean, boolean]
  testByte: [number, number]
  testI32: [number, number]
  testI64: [bigint, bigint]
  testDouble: [number, number]
  testBinary: [Uint8Array, Uint8Array]
  testUuid: [string, string]
  testStruct: [Xtruct, Xtruct]
  testNest: [Xtruct2, Xtruct2]
  testMap: [Map<number, number>, Map<number, number>]
  testStringMap: [Record<string, string>, Record<string, string>]
  testSet: [Set<number>, Set<number>]
  testList: [readonly number[], readonly number[]]
  testEnum: [number, number]
  testTypedef: [bigint, bigint]
  testMapMap: [number, Map<number, Map<number, number>>]
  testInsanity: [Insanity, Map<bigint, Map<number, Insanity>>]
  testMulti: [Multi, Xtruct]
  testException: [string, undefined]
  testMultiException: [{ readonly arg0: string; readonly arg1: string }, Xtruct]
  testOneway: [number, undefined]
}

/** Classes of the exceptions that methods declare. */
export interface Exceptions {
  readonly Xception: new (fields: { errorCode: number; message: string }) => Error & {
    readonly errorCode: number
  }
  readonly Xception2: new (fields: { errorCode: number; struct_thing: Xtruct }) => Error & {
    readonly errorCode: number
    readonly struct_thing: Xtruct
  }
}

export interface ThriftTest {
  readonly ThriftTest: GenericService
  readonly SecondService: GenericService
  readonly exceptions: Exceptions
}

/** @param idl Where the file is. */
export async function loadThriftTest(idl: string): Promise<ThriftTest> {
  const { ThriftTest, SecondService } = await loadThrift(idl)
  return { ThriftTest, SecondService, exceptions: exceptionsOf(ThriftTest) as unknown as Exceptions }
}
