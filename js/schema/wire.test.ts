import assert from 'node:assert/strict'
import test from 'ava'
import fc from 'fast-check'
import type { ServiceDescriptor } from '../core/descriptor.js'
import { pair } from '../testing/index.js'
import { Random, schemas, valueOf } from './arbitrary.test.helper.js'
import { compileSchema } from './compile.js'
import type { GenericService } from './load.js'
import type { Schema } from './model.js'
import { plain, withoutAbsent } from './plain.test.helper.js'

/** Calls with each schema. */
const VALUES = 10

async function echo(schema: Schema, seed: number, size: number): Promise<void> {
  const { services } = compileSchema(schema)
  const [service] = services as readonly [ServiceDescriptor]
  const handlers = Object.fromEntries(Object.keys(service.methods).map((name) => [name, (value: unknown) => value]))
  const both = await pair(service as GenericService, handlers as never)
  try {
    const client = both.client as Record<string, (value: unknown) => Promise<unknown>>
    const random = new Random(seed)
    for (let call = 0; call < VALUES; call++) {
      const index = random.below(schema.methods.length)
      const value = valueOf(schema, { struct: index }, random, size)
      const answer = await client[`m${index}`](value)
      assert.deepEqual(withoutAbsent(plain(answer)), withoutAbsent(plain(value)))
    }
  } finally {
    await both.close()
  }
}

test('values go to a server and back through the bytes of Thrift', async (t) => {
  let different: unknown
  const property = fc.asyncProperty(schemas, fc.nat(), fc.nat(6), async (schema, seed, size) => {
    try {
      await echo(schema, seed, size)
    } catch (error) {
      different = error
      throw error
    }
  })
  const { failed, counterexample, seed } = await fc.check(property, { numRuns: 40, endOnFailure: true })
  // AVA shows what differed; fast-check would keep it in the error's cause.
  if (failed) t.log(`seed ${seed}`, JSON.stringify(counterexample))
  t.is(different, undefined)
})

test('uuids may come in either case', async (t) => {
  const [type, name] = ['uuid', 'echo'] as const
  const schema: Schema = {
    structs: [
      { name: 'S.echo_args', file: 0, kind: 'args', fields: [{ id: 1, name: 'it', type, requiredness: 'required' }] },
      { name: 'S.echo_result', file: 0, kind: 'result', fields: [{ id: 0, name: 'success', type }] },
    ],
    methods: [{ name, service: 0, args: 0, result: 1 }],
    services: [{ name: 'S', file: 0, methods: [0] }],
  }
  const [service] = compileSchema(schema).services
  const both = await pair(service as GenericService, { echo: (value: unknown) => value } as never)
  const client = both.client as unknown as { echo(value: string): Promise<string> }
  t.is(await client.echo('123E4567-E89B-12D3-A456-42661417400F'), '123e4567-e89b-12d3-a456-42661417400f')
  await both.close()
})
