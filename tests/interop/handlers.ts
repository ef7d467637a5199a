/** Gives back what it gets: the service of tests/fixtures/everything.thrift, and of what extends it. */
import type { Handlers, ServiceDescriptor } from 'volo-js/thrift'
import { Color, Denied, NotFound, type Everything } from '../volo-gen/index.js'

const echo = <T>(value: T): T => value

/** Classes of the exceptions that `Fail` and `Check` declare. */
export interface ExceptionClasses {
  readonly NotFound: new (fields: { what: string; id?: bigint }) => Error
  readonly Denied: new (fields: { reason: string; color?: Color; needed?: string[] }) => Error
}

export const generatedExceptions: ExceptionClasses = { NotFound, Denied }

/** Handlers with a count of `Notify` calls of their own. */
export function everything(classes: ExceptionClasses = generatedExceptions): Handlers<typeof Everything> {
  let notified = 0n
  return {
    ping: echo,
    echoAll: echo,
    echoNested: echo,
    echoKeys: echo,
    echoDefaults: echo,
    echoTree: echo,
    echoUnion: echo,
    echoAwkward: echo,
    echoBinary: echo,
    echoList: echo,
    echoMap: echo,
    echoSet: echo,
    echoEnum: echo,
    toString: echo,
    echoScalars: ({ a, b, c, d, e, f, g, h, i, j }) => ({
      flag: a,
      tiny: b,
      small: c,
      short_number: d,
      number: e,
      long_number: f,
      fraction: g,
      text: h,
      data: i,
      color: j,
      at: f,
      colour: j,
    }),
    not: (flag) => !flag,
    add: ({ a, b }) => BigInt.asIntN(64, a + b),
    half: (value) => value / 2,
    fail: async (kind) => {
      if (kind === 1) throw new classes.NotFound({ what: 'kind 1', id: 1n })
      if (kind === 2) throw new classes.Denied({ reason: 'kind 2', color: Color.RED, needed: ['a', 'b'] })
      if (kind === 3) throw new Error('kind 3')
      return `kind ${kind}`
    },
    check: (kind) => {
      if (kind === 1) throw new classes.NotFound({ what: 'kind 1' })
    },
    nothing: () => undefined,
    notify: () => {
      notified += 1n
    },
    count: () => notified,
  }
}

/** The same for EverythingReserved, whose types are known at run time only. */
export function everythingReserved(classes: ExceptionClasses = generatedExceptions): Handlers<ServiceDescriptor> {
  return {
    ...everything(classes),
    echoUuids: echo,
    echoUuid: echo,
    echoReserved: echo,
    delete: echo,
    then: echo,
    constructor: (request: unknown) => {
      const { this: one, var: other } = request as { readonly this: number; readonly var: number }
      return (one + other) | 0
    },
  } as Handlers<ServiceDescriptor>
}
