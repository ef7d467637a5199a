import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import test from 'ava'

import { pair } from '../testing/index.js'
import { exceptionsOf, IdlError, loadThrift } from './index.js'

async function idl(text: string): Promise<{ path: string } & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'volo-js-'))
  const path = join(folder, 'shop.thrift')
  await writeFile(path, text)
  return { path, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
}

test('a service of an IDL read at run time serves and calls, exceptions included', async (t) => {
  await using file = await idl(`
    struct Item { 1: required i64 id, 2: optional map<string, string> extra }
    exception NotFound { 1: required i64 id }
    service Shop { Item GetItem(1: i64 id, 2: bool missing) throws (1: NotFound notFound) }
  `)
  const { Shop } = await loadThrift(file.path)
  const { NotFound } = exceptionsOf(Shop)
  await using it = await pair(Shop, {
    getItem: ({ id, missing }) => {
      if (missing === true) throw new NotFound({ id })
      return { id, extra: { colour: 'red' } }
    },
  })
  t.deepEqual(await it.client.getItem({ id: 2n ** 62n, missing: false }), { id: 2n ** 62n, extra: { colour: 'red' } })
  const error = await t.throwsAsync(it.client.getItem({ id: 5n, missing: true }), { instanceOf: NotFound })
  t.like(error, { id: 5n })
})

test('mistakes of the IDL reject with all of them', async (t) => {
  await using file = await idl('struct A { 1: Missing b }')
  const error = await t.throwsAsync(loadThrift(file.path), { instanceOf: IdlError })
  t.true(error.mistakes.length > 0)
})
