import assert from 'node:assert/strict'
import test from 'ava'
import fc from 'fast-check'
import type { MethodDescriptor } from '../core/descriptor.js'
import { Kind } from '../core/tape/layout.js'
import { Relay } from '../core/tape/relay.test.helper.js'
import { Random, schemas, valueOf } from './arbitrary.test.helper.js'
import { compileSchema } from './compile.js'
import type { Schema } from './model.js'
import { plain, withoutAbsent } from './plain.test.helper.js'
import { check, outcome, spoil, spoilers, VALUES } from './property.test.helper.js'

interface Pair {
  readonly schema: Schema
  readonly relay: Relay
  readonly generated: MethodDescriptor[]
  readonly interpreted: MethodDescriptor[]
  readonly [fc.toStringMethod]: () => string
}

function compile(schema: Schema): Pair {
  const methods = (codegen: boolean): MethodDescriptor[] =>
    Object.values(compileSchema(schema, { codegen }).services[0].methods)
  return {
    schema,
    relay: new Relay(schema),
    generated: methods(true),
    interpreted: methods(false),
    // The schema says all there is to know when a property fails.
    [fc.toStringMethod]: () => JSON.stringify(schema),
  }
}

function roundTrip({ relay }: Pair, writer: MethodDescriptor, reader: MethodDescriptor, value: unknown): unknown {
  const request = relay.message(
    Kind.CALL,
    writer.index,
    (t) => writer.writeArgs(t, value),
    (t, p) => reader.readArgs(t, p),
  )
  const response = relay.message(
    Kind.REPLY,
    writer.index,
    (t) => writer.writeResult(t, value),
    (t, p) => reader.readResult(t, p),
  )
  assert.deepEqual(plain(response), plain(request))
  return request
}

const cases = fc.record({ schema: schemas, method: fc.nat(3), seed: fc.nat(), size: fc.nat(6) }).map((drawn) => {
  const pair = compile(drawn.schema)
  const index = drawn.method % pair.generated.length
  const random = new Random(drawn.seed)
  const draw = (): unknown => valueOf(pair.schema, { struct: index }, random, drawn.size)
  return { pair, index, values: Array.from({ length: VALUES }, draw) }
})

test('what is written arrives, whoever writes and whoever reads', (t) => {
  check(
    fc.property(cases, ({ pair, index, values }) => {
      const [generated, interpreted] = [pair.generated[index], pair.interpreted[index]]
      for (const value of values) {
        const expected = plain(roundTrip(pair, interpreted, interpreted, value))
        assert.deepEqual(withoutAbsent(expected), withoutAbsent(plain(value)))
        assert.deepEqual(plain(roundTrip(pair, generated, generated, value)), expected)
        assert.deepEqual(plain(roundTrip(pair, generated, interpreted, value)), expected)
        assert.deepEqual(plain(roundTrip(pair, interpreted, generated, value)), expected)
      }
    }),
    60,
  )
  t.pass()
})

test('a wrong value is refused with the same words, and the tape is as before', (t) => {
  let refused = 0
  check(
    fc.property(cases, spoilers, ({ pair, index, values }, spoiling) => {
      for (const [at, value] of values.entries()) {
        const spoilt = spoil(value, ...spoiling[at])
        const [generated, interpreted] = [pair.generated[index], pair.interpreted[index]].map((writer) =>
          outcome(() => roundTrip(pair, writer, pair.interpreted[index], spoilt)),
        )
        assert.deepEqual(generated, interpreted)
        if ('refusal' in generated) refused++
        // Whatever happened, the next message is whole.
        roundTrip(pair, pair.generated[index], pair.generated[index], value)
      }
    }),
    60,
  )
  t.true(refused > 50, `${refused} values were refused`)
})
