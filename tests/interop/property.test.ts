/** Any value the schema allows survives TypeScript → wire → Python → wire → TypeScript. */
import { fileURLToPath } from 'node:url'
import test from 'ava'
import fc from 'fast-check'
import { parseThrift } from 'volo-js/build'
import { Everything } from '../volo-gen/index.js'
import { Arbitraries } from './arbitraries.js'
import { difference } from './canonical.js'
import { clientOf } from './fixtures.js'
import { startPeer } from './peers.js'

const BATCHES = 40
/** Calls at once, each on a connection of its own. */
const BATCH = 8

const schema = parseThrift([fileURLToPath(new URL('../fixtures/everything.thrift', import.meta.url))])
const arbitraries = new Arbitraries(schema)

/** Methods that give back their argument, as the schema's wire names, and values for it. */
const echoes = Object.values(Everything.methods)
  .filter(({ wireName }) => /^(Echo(?!Scalars)|Ping$|toString$)/.test(wireName))
  .map(({ name, index }) => {
    const [argument] = schema.structs[schema.methods[index].args].fields
    return fc.tuple(fc.constant(name), arbitraries.of(argument.type))
  })

for (const transport of ['framed', 'buffered'] as const) {
  test(`random values survive the way to Python and back, ${transport}`, async (t) => {
    const server = await startPeer('python', transport)
    const client = clientOf(Everything, server.address, 'pool', transport)
    let values = 0
    try {
      const batches = fc.array(fc.oneof(...echoes), { minLength: BATCH, maxLength: BATCH })
      await fc.assert(
        fc.asyncProperty(batches, async (batch) => {
          const wrong = await Promise.all(
            batch.map(async ([method, value]) => {
              const text = difference(await client[method](value), value)
              return text === undefined ? [] : [`${method}: ${text}`]
            }),
          )
          values += batch.length
          if (wrong.flat().length > 0) throw new Error(wrong.flat().join('\n'))
        }),
        { numRuns: BATCHES },
      )
      t.true(values >= 300, `${values}`)
    } finally {
      await client[Symbol.asyncDispose]()
      await server.stop()
    }
  })
}
