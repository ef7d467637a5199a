/** What the servers of Apache's cross tests answer (comments of ThriftTest.thrift). */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Answer, GenericService, Handlers } from 'volo-js/thrift'
import { Numberz, type Exceptions, type Insanity, type Methods } from './thrift-test.js'

/** Milliseconds that stand for a second of `testOneway`: enough to see that nobody waits for it. */
const SECOND = 300

const echo = <T>(value: T): T => value

const range = (from: number, to: number): Map<number, number> =>
  new Map(Array.from({ length: to - from + 1 }, (_, n) => [from + n, from + n]))

const insanities = (...entries: [number, Insanity][]): Map<number, Insanity> => new Map(entries)

export function thriftTest({ Xception, Xception2 }: Exceptions): Handlers<GenericService> {
  const handlers: { readonly [Name in keyof Methods]: (request: Methods[Name][0]) => Answer<Methods[Name][1]> } = {
    testVoid: () => undefined,
    testString: echo,
    testBool: echo,
    testByte: echo,
    testI32: echo,
    testI64: echo,
    testDouble: echo,
    testBinary: echo,
    testUuid: echo,
    testStruct: echo,
    testNest: echo,
    testMap: echo,
    testStringMap: echo,
    testSet: echo,
    testList: echo,
    testEnum: echo,
    testTypedef: echo,
    testMapMap: () =>
      new Map([
        [-4, range(-4, -1)],
        [4, range(1, 4)],
      ]),
    testInsanity: (argument) =>
      new Map([
        [1n, insanities([Numberz.TWO, argument], [Numberz.THREE, argument])],
        [2n, insanities([Numberz.SIX, {}])],
      ]),
    testMulti: ({ arg0, arg1, arg2 }) => ({
      string_thing: 'Hello2',
      byte_thing: arg0,
      i32_thing: arg1,
      i64_thing: arg2,
    }),
    testException: (arg) => {
      if (arg === 'Xception') throw new Xception({ errorCode: 1001, message: arg })
      if (arg === 'TException') throw new Error('This is a TException')
    },
    testMultiException: ({ arg0, arg1 }) => {
      if (arg0 === 'Xception') throw new Xception({ errorCode: 1001, message: 'This is an Xception' })
      if (arg0 === 'Xception2') {
        throw new Xception2({ errorCode: 2002, struct_thing: { string_thing: 'This is an Xception2' } })
      }
      return { string_thing: arg1 }
    },
    testOneway: async (seconds) => {
      await sleep(seconds * SECOND)
    },
  }
  return handlers as unknown as Handlers<GenericService>
}

/** `SecondService`, which is there to share a connection with the other. */
export const secondService = {
  secondtestString: (thing: string) => `testString("${thing}")`,
} as unknown as Handlers<GenericService>
