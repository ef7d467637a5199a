/** A server and a client in the tests of a user, whatever runs them. */
import { Client } from 'volo-js/thrift'
import { call, start } from './items.mjs'

/**
 * Declares the tests.
 * @param {(name: string, run: () => Promise<void>) => void} test the runner's
 * @param {typeof import('vitest').expect} expect the runner's
 */
export function itemTests(test, expect) {
  test('calls are answered', async () => {
    expect(await call(100)).toBe(100)
  })

  test('a client that is left open does not hold the runner up', async () => {
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
}
