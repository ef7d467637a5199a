/** grpcurl finds out by itself what a server serves, and calls it. */
import test from 'ava'
import { Server, type Handlers } from 'volo-js/grpc'

import { ItemService, type Item } from '../../examples/volo-gen/grpc/index.js'
import { peer, run } from '../peer-programs.js'

const items: Handlers<typeof ItemService> = {
  getItem: ({ id }) => ({ item: { id, title: 'Hello grpcurl' } }),
  async *streamItems({ id }) {
    for (let n = 1n; n <= 3n; n += 1n) yield await Promise.resolve({ id: id + n })
  },
  async clientStream(sent) {
    let last: Item | undefined
    for await (const item of sent) last = item
    return { item: last }
  },
  async *bidirectionalStream(sent) {
    yield* sent
  },
}

/** Milliseconds that grpcurl may take. */
const TIMEOUT = 20_000

test('grpcurl lists, describes and calls everything without a .proto file', async (t) => {
  const grpcurl = await peer('grpcurl')
  await using handle = await Server.of(ItemService, items).options({ reflection: true }).listen('127.0.0.1:0')
  const ask = async (before: readonly string[], after: readonly string[]): Promise<string> => {
    const args = [...grpcurl.args, '-plaintext', ...before, handle.address, ...after]
    const { code, output } = await run({ ...grpcurl, args }, { timeout: TIMEOUT })
    t.is(code, 0, output)
    return output
  }
  const call = async (method: string, request: string): Promise<unknown[]> => {
    const output = await ask(['-format', 'json', '-d', request], [method])
    return JSON.parse(`[${output.trim().replaceAll(/\}\s*\{/g, '},{')}]`) as unknown[]
  }

  const services = (await ask([], ['list'])).trim().split('\n')
  t.deepEqual(services, [
    'grpc.health.v1.Health',
    'grpc.reflection.v1.ServerReflection',
    'grpc.reflection.v1alpha.ServerReflection',
    'volo.example.ItemService',
  ])
  for (const service of services) t.regex(await ask([], ['describe', service]), / is a service:\nservice /, service)
  t.regex(await ask([], ['describe', 'volo.example.Item']), /map<string, string> extra = 10;/)

  t.deepEqual(await call('volo.example.ItemService/GetItem', '{"id": 7}'), [
    { item: { id: '7', title: 'Hello grpcurl' } },
  ])
  t.deepEqual(await call('volo.example.ItemService/StreamItems', '{"id": 7}'), [{ id: '8' }, { id: '9' }, { id: '10' }])
  t.deepEqual(await call('volo.example.ItemService/ClientStream', '{"id": 1} {"id": 2}'), [{ item: { id: '2' } }])
  t.deepEqual(await call('volo.example.ItemService/BidirectionalStream', '{"id": 1} {"id": 2}'), [
    { id: '1' },
    { id: '2' },
  ])
  t.deepEqual(await call('grpc.health.v1.Health/Check', '{}'), [{ status: 'SERVING' }])
  handle.health.set('volo.example.ItemService', 'NOT_SERVING')
  const check = '{"service": "volo.example.ItemService"}'
  t.deepEqual(await call('grpc.health.v1.Health/Check', check), [{ status: 'NOT_SERVING' }])
})
