/** The calls of Apache's test clients (test/py/TestClient.py, lib/nodejs/test/test_driver.mjs), and what they have to answer. */
import assert from 'node:assert/strict'
import { ThriftApplicationError, type CallOptions } from 'volo-js/thrift'
import { Numberz, type Exceptions, type Insanity, type Methods, type Multi } from './thrift-test.js'

/** A client of the service `ThriftTest`. */
export type Caller = {
  readonly [Name in keyof Methods]: (request?: Methods[Name][0], options?: CallOptions) => Promise<Methods[Name][1]>
}

/** A client of `SecondService`. */
export interface SecondCaller {
  readonly secondtestString: (thing: string) => Promise<string>
}

/** Values that come back as they went. */
const echoes: { readonly [Name in keyof Methods]?: readonly Methods[Name][0][] } = {
  testString: [
    '',
    'Test',
    'Thrift'.repeat(20),
    'quote: " backslash: \\ slash: / backspace: \b formfeed: \f newline: \n return: \r tab: \t',
    ']] "]] \\" }}}{ [[[ !@#$%&()(&%$#{}{}<><><',
    'العربية, Žemaitėška, Беларуская, বাংলা, ᏣᎳᎩ, ⰔⰎⰑⰂⰡⰐⰠⰔⰍⰟ, ދިވެހިބަސް, 한국어, ქართული, മലയാളം, תיבוט, 中文, 𝔘𝔫𝔦𝔠𝔬𝔡𝔢',
    'x'.repeat(100_000),
  ],
  testBool: [true, false],
  testByte: [0, 1, -1, 63, 127, -127, -128],
  testI32: [0, 1, -1, 2147483647, -2147483648],
  testI64: [0n, 1n, -5n, -34359738368n, 734359738368n, 2n ** 53n + 1n, -(2n ** 53n) - 1n, 2n ** 63n - 1n, -(2n ** 63n)],
  testDouble: [0, -1, -5.235098235, 7.012052175215044, -0.000341012439638598279, 2 ** 53, Number.MAX_VALUE],
  testBinary: [new Uint8Array(), Uint8Array.from({ length: 256 }, (_, n) => n), new Uint8Array([0, 0xff, 0x80])],
  testUuid: ['00112233-4455-6677-8899-aabbccddeeff', 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
  testStruct: [{ string_thing: 'Zero', byte_thing: 1, i32_thing: -3, i64_thing: -5n }],
  testNest: [
    {
      byte_thing: 1,
      struct_thing: { string_thing: 'Zero', byte_thing: 1, i32_thing: -3, i64_thing: 1_000_000n },
      i32_thing: 5,
    },
  ],
  testMap: [new Map(), new Map([0, 1, 2, 3, -1].map((key) => [key, key - 10]))],
  testStringMap: [
    {},
    { a: '123', 'a b': 'with spaces ', same: 'same', '0': 'numeric key', long: 'value '.repeat(100) },
  ],
  testSet: [new Set(), new Set([8, 1, 42])],
  testList: [[], Array.from({ length: 20 }, (_, n) => n + 1), [1, 4, 9, -42]],
  testEnum: [Numberz.ONE, Numberz.FIVE, Numberz.EIGHT],
  testTypedef: [309858235082523n, 0xff_ffff_ffff_ffffn],
}

const insanity: Insanity = {
  userMap: new Map([
    [Numberz.FIVE, 5n],
    [Numberz.EIGHT, 8n],
  ]),
  xtructs: [
    { string_thing: 'Goodbye4', byte_thing: 4, i32_thing: 4, i64_thing: 4n },
    { string_thing: 'Hello2', byte_thing: 2, i32_thing: 2, i64_thing: 2n },
  ],
}

const multi: Multi = {
  arg0: 74,
  arg1: 0xff00ff,
  arg2: 0xffffffffd0d0n,
  arg3: new Map([
    [0, 'abc'],
    [-1, 'def'],
  ]),
  arg4: Numberz.FIVE,
  arg5: 0xf0f0f0n,
}

/** Absent fields may be there as `undefined` or not at all. */
function present(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(present)
  if (value instanceof Map) return new Map([...value].map(([key, it]) => [key, present(it)]))
  if (value === null || typeof value !== 'object' || value instanceof Set || ArrayBuffer.isView(value)) return value
  const fields = Object.entries(value).filter(([, it]) => it !== undefined)
  return Object.fromEntries(fields.map(([name, it]) => [name, present(it)]))
}

function same(method: string, got: unknown, expected: unknown): void {
  const bytes = (value: unknown): unknown => (value instanceof Uint8Array ? [...value] : present(value))
  assert.deepEqual(bytes(got), bytes(expected), method)
}

/**
 * Makes every call.
 * @throws AssertionError that names the first method whose answer is another.
 */
export async function checkThriftTest(client: Caller, exceptions: Exceptions): Promise<void> {
  assert.equal(await client.testVoid(), undefined, 'testVoid')
  for (const [method, values] of Object.entries(echoes)) {
    const call = client[method as keyof Methods] as (request: unknown) => Promise<unknown>
    for (const value of values) same(method, await call(value), value)
  }
  await checkContainers(client)
  await checkExceptions(client, exceptions)
  await checkOneway(client)
}

/** Calls the service that shares a server with the other. */
export async function checkSecondService(client: SecondCaller): Promise<void> {
  assert.equal(await client.secondtestString('foobar'), 'testString("foobar")', 'secondtestString')
}

async function checkContainers(client: Caller): Promise<void> {
  const mapMap = await client.testMapMap(42)
  same('testMapMap', [...mapMap.keys()].sort(), [-4, 4])
  for (const inner of mapMap.values()) {
    assert.equal(inner.size, 4, 'testMapMap')
    for (const [key, value] of inner) assert.equal(key, value, 'testMapMap')
  }
  const crazy = await client.testInsanity(insanity)
  same('testInsanity', crazy.get(1n)?.get(Numberz.TWO), insanity)
  same('testInsanity', crazy.get(1n)?.get(Numberz.THREE), insanity)
  // Its fields are absent, or empty, as the server's language has it.
  const { userMap, xtructs } = crazy.get(2n)?.get(Numberz.SIX) ?? assert.fail('testInsanity: no [2][6]')
  assert.equal((userMap?.size ?? 0) + (xtructs?.length ?? 0), 0, 'testInsanity')
  const hello = { string_thing: 'Hello2', byte_thing: multi.arg0, i32_thing: multi.arg1, i64_thing: multi.arg2 }
  same('testMulti', await client.testMulti(multi), hello)
}

async function checkExceptions(client: Caller, { Xception, Xception2 }: Exceptions): Promise<void> {
  await client.testException('Safe')
  await rejects(client.testException('Xception'), Xception, (error) => {
    assert.equal(error.errorCode, 1001)
    assert.equal(error.message, 'Xception')
  })
  await rejects(client.testException('TException'), ThriftApplicationError, (error) => assert.equal(error.sent, 'yes'))
  await rejects(client.testMultiException({ arg0: 'Xception', arg1: 'ignore' }), Xception, (error) => {
    assert.equal(error.errorCode, 1001)
    assert.equal(error.message, 'This is an Xception')
  })
  await rejects(client.testMultiException({ arg0: 'Xception2', arg1: 'ignore' }), Xception2, (error) => {
    assert.equal(error.errorCode, 2002)
    assert.equal(error.struct_thing.string_thing, 'This is an Xception2')
  })
  const success = await client.testMultiException({ arg0: 'success', arg1: 'foobar' })
  assert.equal(success.string_thing, 'foobar', 'testMultiException')
}

async function rejects<E extends Error>(
  call: Promise<unknown>,
  kind: abstract new (...given: never[]) => E,
  check: (error: E) => void,
): Promise<void> {
  const error: unknown = await call.then(
    () => assert.fail(`${kind.name} was expected`),
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof kind)) throw error
  check(error)
}

async function checkOneway(client: Caller): Promise<void> {
  await client.testOneway(1)
  // A server that answered it would be found out here.
  assert.equal(await client.testI32(-1), -1, 'testI32 after testOneway')
  assert.equal(await client.testString('still there'), 'still there', 'testString after testOneway')
}
