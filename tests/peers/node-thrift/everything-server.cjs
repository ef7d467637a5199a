'use strict'
// Gives back what it gets: the service of tests/fixtures/everything.thrift.

const { listen, load, options } = require('./options.cjs')

const given = options()
const { Int64, generated, thrift, wire } = load(given)
const Everything = generated('Everything')
const { Color, Denied, NotFound, Scalars } = generated('everything_types')

const echo = (value) => value
const big = (int64) => int64.buffer.readBigInt64BE(int64.offset)
const int64 = (value) => {
  const buffer = Buffer.alloc(8)
  buffer.writeBigInt64BE(BigInt.asIntN(64, value))
  return new Int64(buffer)
}
let notified = 0n

const handler = {
  Ping: echo,
  EchoAll: echo,
  EchoNested: echo,
  EchoDefaults: echo,
  EchoTree: echo,
  EchoUnion: echo,
  EchoAwkward: echo,
  EchoBinary: echo,
  EchoList: echo,
  EchoMap: echo,
  EchoSet: echo,
  EchoEnum: echo,
  toString: echo,
  EchoKeys(_keys) {
    throw new Error("npm's thrift turns the keys of a map into strings; it cannot echo these")
  },
  EchoScalars: (a, b, c, d, e, f, g, h, i, j) =>
    new Scalars({
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
  Not: (flag) => !flag,
  Add: (a, b) => int64(big(a) + big(b)),
  Half: (value) => value / 2,
  Fail(kind) {
    if (kind === 1) throw new NotFound({ what: 'kind 1', id: 1 })
    if (kind === 2) throw new Denied({ reason: 'kind 2', color: Color.RED, needed: ['a', 'b'] })
    if (kind === 3) throw new Error('kind 3')
    return `kind ${kind}`
  },
  Check(kind) {
    if (kind === 1) throw new NotFound({ what: 'kind 1' })
  },
  Nothing() {},
  Notify(_event) {
    notified++
  },
  Count: () => int64(notified),
}

// The generated processor takes a promise from a handler, but not an exception that is thrown synchronously.
for (const [name, method] of Object.entries(handler)) {
  const call = async (args) => method(...args)
  const wrapped = (...args) => call(args)
  Object.defineProperty(wrapped, 'length', { value: method.length })
  handler[name] = wrapped
}

listen(thrift.createServer(Everything, handler, wire), given.port)
