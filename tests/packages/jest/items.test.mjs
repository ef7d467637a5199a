/** A server and a client in a Jest test; this file is run by Jest, from tests/packages/runners.test.mjs. */
import { expect, test } from '@jest/globals'
import { Client } from 'volo-js/thrift'
import { call, start } from './items.mjs'

test('calls are answered', async () => {
  expect(await call(100)).toBe(100)
})

test('a client that is left open does not hold Jest up', async () => {
  const { client, server } = await start()
  const { item } = await client.getItem({ id: 7n })
  expect(item).toEqual({ id: 7n, title: 'item 7', content: 'content', extra: { a: 'ä' } })
  await server.close()
})

test('errors are instances of what the package exports', async () => {
  const { VoloError } = await import('volo-js')
  const { ItemService } = await import('./volo-gen/index.js')
  const client = Client.of(ItemService, 'items').address('127.0.0.1:1').build()
  await expect(client.getItem({ id: 1n })).rejects.toBeInstanceOf(VoloError)
  await Client.close(client)
})
