/** The way through JSON and the way of the types lead to the same tape, and nothing that is no JSON of the IDL gets there. */
import assert from 'node:assert/strict'
import test from 'ava'
import fc from 'fast-check'
import type { MethodDescriptor, ThriftServiceDescriptor } from '../../core/descriptor.js'
import { TapeTypeError } from '../../core/tape/errors.js'
import { Kind } from '../../core/tape/layout.js'
import { Relay } from '../../core/tape/relay.test.helper.js'
import type { OutTape } from '../../core/tape/writer.js'
import { Random, schemas, valueOf } from '../../schema/arbitrary.test.helper.js'
import { compileSchema } from '../../schema/compile.js'
import type { Schema, Type } from '../../schema/model.js'
import { plain, withoutAbsent } from '../../schema/plain.test.helper.js'
import { check, spoil, spoilers, VALUES } from '../../schema/property.test.helper.js'
import type { AnyJsonOptions } from './options.js'
import { json, jsonMethod } from './service.js'

/** What arrives when `write` writes a request or a response, slot by slot. */
function tapeOf(relay: Relay, { index }: MethodDescriptor, kind: Kind, write: (t: OutTape) => void): string[] {
  return relay.message(kind, index, write, ({ buffers: [slots, text, bytes] }) => [
    slots.subarray(0, Number(slots[0])).toString(),
    Buffer.from(text).toString('latin1'),
    Buffer.from(bytes).toString('hex'),
  ])
}

/** Keys that members of objects can be. */
function keyed(type: Type): Type {
  if (typeof type === 'string' || 'enum' in type || 'struct' in type) return type
  if ('list' in type) return { list: keyed(type.list) }
  if ('set' in type) return { set: keyed(type.set) }
  const [key, value] = type.map
  return { map: [typeof key === 'string' || 'enum' in key ? key : 'i64', keyed(value)] }
}

/** JSON shows what the IDL knows, so nothing else is kept. */
const withKeys = schemas.map((schema): Schema => ({
  ...schema,
  structs: schema.structs.map((struct) => ({
    ...struct,
    keep_unknown: false,
    fields: struct.fields.map((field) => ({ ...field, type: keyed(field.type) })),
  })),
}))

const formed = fc.record({
  i64: fc.constantFrom('auto', 'string'),
  enumAsName: fc.boolean(),
  text: fc.boolean(),
}) as fc.Arbitrary<AnyJsonOptions>

const cases = fc
  .record({
    schema: withKeys,
    method: fc.nat(3),
    seed: fc.nat(),
    size: fc.nat(6),
    options: formed,
    codegen: fc.boolean(),
  })
  .map(({ schema, method, seed, size, options, codegen }) => {
    const service = compileSchema(schema, { codegen }).services[0] as ThriftServiceDescriptor
    const name = Object.keys(service.methods)[method % schema.methods.length]
    const index = service.methods[name].index
    const random = new Random(seed)
    const draw = (): unknown => unique(valueOf(schema, { struct: index }, random, size))
    return {
      relay: new Relay(schema),
      service,
      name,
      options,
      values: Array.from({ length: VALUES }, draw),
      [fc.toStringMethod]: () => JSON.stringify(schema),
    }
  })

/** Bytes that are there twice in a Map, as keys, would be one key in JSON. */
function unique(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unique)
  if (value instanceof Set) return new Set([...value].map(unique))
  if (value instanceof Map) {
    const seen = new Map<unknown, [unknown, unknown]>()
    for (const [key, item] of value as Map<unknown, unknown>) {
      const identity = ArrayBuffer.isView(key) ? Buffer.from(key as Uint8Array).toString('hex') : key
      if (!seen.has(identity)) seen.set(identity, [key, unique(item)])
    }
    return new Map(seen.values())
  }
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, unique(item)]))
}

/** Maps with keys in the order that an object of JSON has them. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder)
  if (value instanceof Set) return new Set([...value].map(inOrder))
  if (value instanceof Map) {
    const byName = Object.fromEntries(
      [...(value as Map<unknown, unknown>)].map(([key, item]) => [
        ArrayBuffer.isView(key) ? Buffer.from(key as Uint8Array).toString('base64') : String(key),
        [key, inOrder(item)],
      ]),
    ) as Record<string, [unknown, unknown]>
    return new Map(Object.values(byName))
  }
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, inOrder(item)]))
}

test('JSON leads to the same tape as the value it was made of, and back to the same value', (t) => {
  check(
    fc.property(cases, ({ relay, service, name, options, values }) => {
      const inner = service.methods[name]
      const outer = (json(service, options) as ThriftServiceDescriptor).methods[name]
      const { request, response } = jsonMethod(service, name, options)
      for (const value of values) {
        const text = request.toJson(value)
        // Text has maps in their order, objects have keys that look like numbers first.
        const sent = options.text === true ? value : inOrder(value)
        assert.deepEqual(
          tapeOf(relay, inner, Kind.CALL, (out) => outer.writeArgs(out, text)),
          tapeOf(relay, inner, Kind.CALL, (out) => inner.writeArgs(out, sent)),
        )
        assert.deepEqual(
          tapeOf(relay, inner, Kind.REPLY, (out) => outer.writeResult(out, response.toJson(value))),
          tapeOf(relay, inner, Kind.REPLY, (out) => inner.writeResult(out, sent)),
        )
        assert.deepEqual(withoutAbsent(plain(request.fromJson(text))), withoutAbsent(plain(value)))
        // Whatever the form, it is JSON.
        JSON.parse(typeof text === 'string' && options.text === true ? text : JSON.stringify(text))
      }
    }),
    40,
  )
  t.pass()
})

test('what reading JSON takes, writing takes, and everything else is refused in the words of the package', (t) => {
  let refused = 0
  let taken = 0
  check(
    fc.property(cases, spoilers, ({ relay, service, name, values }, spoiling) => {
      const inner = service.methods[name]
      const { request } = jsonMethod(service, name)
      for (const [at, value] of values.entries()) {
        let read: unknown
        try {
          read = request.fromJson(spoil(request.toJson(value), ...spoiling[at]) as never)
        } catch (error) {
          if (!(error instanceof TapeTypeError)) throw error
          refused++
          continue
        }
        taken++
        tapeOf(relay, inner, Kind.CALL, (out) => inner.writeArgs(out, read))
        // What was written can be read: it has a form.
        request.toJson(read)
      }
    }),
    40,
  )
  t.true(refused > 50 && taken > 10, `${refused} refused, ${taken} taken`)
})
