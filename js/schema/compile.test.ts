import { execFile } from 'node:child_process'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'

const example = fileURLToPath(new URL('../../examples/item.thrift', import.meta.url))

/** A program that loads IDL and calls itself; prints the title it got. */
const program = `
  import { loadThrift } from ${JSON.stringify(new URL('../thrift/index.js', import.meta.url).href)}
  import { pair } from ${JSON.stringify(new URL('../testing/index.js', import.meta.url).href)}
  const { ItemService } = await loadThrift(process.argv[1], { codegen: process.argv[2] === 'true' })
  const it = await pair(ItemService, { getItem: ({ id }) => ({ item: { id, title: 'loaded', content: '' } }) })
  const { item } = await it.client.getItem({ id: 1n })
  await it.close()
  console.log(item.title)
`

for (const codegen of [true, false]) {
  test(`IDL is loaded where code from strings is refused, ${codegen ? 'as a script' : 'or without any'}`, async (t) => {
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--disallow-code-generation-from-strings',
      '--input-type=module',
      '--eval',
      program,
      example,
      String(codegen),
    ])
    t.is(stdout, 'loaded\n')
  })
}
