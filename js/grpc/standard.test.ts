import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import test, { type ExecutionContext } from 'ava'

import { Client } from '../core/client.js'
import { Server } from '../core/server.js'
import type { ServerHandle } from '../core/server-handle.js'
import type { ServerOptions } from '../core/server-options.js'
import { VoloError } from '../core/errors.js'
import { parseProto } from '../schema/parse.js'
import { loadProto } from './load.js'

const standard = fileURLToPath(new URL('../../crates/transport/src/standard', import.meta.url))
const healthProto = `${standard}/proto/grpc/health/v1/health.proto`
const reflectionProtos = ['v1', 'v1alpha'].map(
  (version) => `${standard}/proto/grpc/reflection/${version}/reflection.proto`,
)
const item = fileURLToPath(new URL('../../examples/item.proto', import.meta.url))

const { ItemService } = await loadProto(item)
const { Health } = await loadProto(healthProto)
const reflections = await Promise.all(reflectionProtos.map(async (file) => (await loadProto(file)).ServerReflection))

const SERVING = 1
const NOT_SERVING = 2
const SERVICE_UNKNOWN = 3
const SERVICE = 'volo.example.ItemService'

interface HealthClient {
  check(request: { service: string }): Promise<{ status: number }>
  list(
    request: object,
  ): Promise<{ statuses: ReadonlyMap<string, { status: number }> | Record<string, { status: number }> }>
  watch(request: { service: string }): AsyncIterable<{ status: number }>
}

interface ReflectionResponse {
  messageResponse:
    | { case: 'fileDescriptorResponse'; value: { fileDescriptorProto: Uint8Array[] } }
    | { case: 'listServicesResponse'; value: { service: { name: string }[] } }
    | { case: 'errorResponse'; value: { errorCode: number; errorMessage: string } }
}
type Question = 'listServices' | 'fileContainingSymbol' | 'fileByFilename'
const ask = (question: Question, value: string): object => ({ messageRequest: { case: question, value } })

interface ReflectionClient {
  serverReflectionInfo(requests: Iterable<object> | AsyncIterable<object>): AsyncIterable<ReflectionResponse>
}

const handlers = {
  getItem: () => ({}),
  streamItems: () => [],
  clientStream: () => ({}),
  bidirectionalStream: () => [],
}

async function serve(t: ExecutionContext, options: ServerOptions = {}): Promise<ServerHandle> {
  const handle = await new Server()
    .add(ItemService, handlers as never)
    .options(options)
    .listen('127.0.0.1:0')
  t.teardown(() => handle.close({ grace: '100ms' }))
  return handle
}

function clientOf<T>(t: ExecutionContext, service: typeof Health, { address }: ServerHandle): T {
  const client = Client.of(service, 'standard').address(address).build()
  t.teardown(() => Client.close(client, { grace: '100ms' }))
  return client as unknown as T
}

test('the descriptors that are told are those of the files', (t) => {
  const { descriptors } = parseProto([healthProto, ...reflectionProtos], [`${standard}/proto`])
  const told = readFileSync(`${standard}/descriptors.base64`, 'utf8').replaceAll('\n', '')
  t.is(told, descriptors ?? '', 'write what is expected here to descriptors.base64')
})

test('all services are healthy at first, and as they are set then', async (t) => {
  const handle = await serve(t)
  const health = clientOf<HealthClient>(t, Health, handle)
  for (const service of ['', SERVICE]) t.is((await health.check({ service })).status, SERVING)
  await t.throwsAsync(health.check({ service: 'no.such' }), { code: 'NOT_FOUND' })
  handle.health.set(SERVICE, 'NOT_SERVING')
  handle.health.set('no.such', 'SERVING')
  t.is((await health.check({ service: SERVICE })).status, NOT_SERVING)
  t.is((await health.check({ service: 'no.such' })).status, SERVING)
  const { statuses } = await health.list({})
  const entries =
    statuses instanceof Map ? [...(statuses as Map<string, { status: number }>)] : Object.entries(statuses)
  t.deepEqual(
    entries.map(([name, { status }]) => [name, status]),
    [
      ['', SERVING],
      ['no.such', SERVING],
      [SERVICE, NOT_SERVING],
    ],
  )
})

test('watchers are told of every change, and of the end', async (t) => {
  const handle = await serve(t)
  const health = clientOf<HealthClient>(t, Health, handle)
  const known = health.watch({ service: SERVICE })[Symbol.asyncIterator]()
  const unknown = health.watch({ service: 'later' })[Symbol.asyncIterator]()
  t.is((await known.next()).value?.status, SERVING)
  t.is((await unknown.next()).value?.status, SERVICE_UNKNOWN)
  handle.health.set(SERVICE, 'NOT_SERVING')
  t.is((await known.next()).value?.status, NOT_SERVING)
  handle.health.set(SERVICE, 'SERVING')
  handle.health.set('later', 'SERVING')
  t.is((await known.next()).value?.status, SERVING)
  t.is((await unknown.next()).value?.status, SERVING)
  // It need not wait for those who watch: the grace time is longer than this test may take.
  const closed = handle.close({ grace: '600s' })
  t.is((await known.next()).value?.status, NOT_SERVING)
  await t.throwsAsync(known.next(), { code: 'UNAVAILABLE' })
  t.is((await unknown.next()).value?.status, NOT_SERVING)
  await t.throwsAsync(unknown.next(), { code: 'UNAVAILABLE' })
  await closed
  t.notThrows(() => handle.health.set(SERVICE, 'SERVING'))
})

test('health checks can be switched off, and a service of its own comes before them', async (t) => {
  const off = await serve(t, { health: false })
  await t.throwsAsync(clientOf<HealthClient>(t, Health, off).check({ service: '' }), { code: 'UNIMPLEMENTED' })
  t.throws(() => off.health.set('', 'SERVING'), { instanceOf: VoloError, code: 'FAILED_PRECONDITION' })
  const on = await serve(t)
  t.throws(() => on.health.set('', 'SICK' as never), { instanceOf: VoloError, code: 'INVALID_ARGUMENT' })

  const impl = { check: () => ({ status: NOT_SERVING }), list: () => ({}), watch: () => [] }
  const own = await new Server().add(Health, impl as never).listen('127.0.0.1:0')
  t.teardown(() => own.close({ grace: 0 }))
  t.is((await clientOf<HealthClient>(t, Health, own).check({ service: '' })).status, NOT_SERVING)
})

test('reflection is off unless it is wanted', async (t) => {
  const reflection = clientOf<ReflectionClient>(t, reflections[0], await serve(t))
  const responses = reflection.serverReflectionInfo([ask('listServices', '')])
  await t.throwsAsync(responses[Symbol.asyncIterator]().next(), { code: 'UNIMPLEMENTED' })
})

for (const [index, version] of ['v1', 'v1alpha'].entries()) {
  test(`reflection ${version} answers a stream of questions`, async (t) => {
    const handle = await serve(t, { reflection: true })
    const reflection = clientOf<ReflectionClient>(t, reflections[index], handle)
    const questions = [
      ask('listServices', ''),
      ask('fileContainingSymbol', SERVICE),
      ask('fileContainingSymbol', 'no.such'),
      // More than what a peer may leave unread.
      ...Array.from({ length: 2000 }, () => ask('fileByFilename', 'item.proto')),
    ]
    const responses: ReflectionResponse['messageResponse'][] = []
    for await (const { messageResponse } of reflection.serverReflectionInfo(questions)) responses.push(messageResponse)
    t.is(responses.length, questions.length)
    const [list, file, missing, ...same] = responses
    const names = [
      'grpc.health.v1.Health',
      'grpc.reflection.v1.ServerReflection',
      'grpc.reflection.v1alpha.ServerReflection',
      SERVICE,
    ]
    t.like(list, { case: 'listServicesResponse', value: { service: names.map((name) => ({ name })) } })
    t.like(missing, { case: 'errorResponse', value: { errorCode: 5, errorMessage: 'no symbol no.such' } })
    for (const response of [file, ...same]) {
      const files = response?.case === 'fileDescriptorResponse' ? response.value.fileDescriptorProto : []
      if (files.length !== 1 || !Buffer.from(files[0] ?? []).includes('item.proto')) t.fail('a file is missing')
    }
  })
}

test('a reflection stream does not hold a server that closes', async (t) => {
  const handle = await serve(t, { reflection: true })
  const reflection = clientOf<ReflectionClient>(t, reflections[0], handle)
  let end!: () => void
  const ended = new Promise<void>((resolve) => (end = resolve))
  async function* questions(): AsyncGenerator<object> {
    yield ask('listServices', '')
    await ended
  }
  const responses = reflection.serverReflectionInfo(questions())[Symbol.asyncIterator]()
  t.is((await responses.next()).value?.messageResponse.case, 'listServicesResponse')
  const closed = handle.close({ grace: '600s' })
  await t.throwsAsync(responses.next(), { code: 'UNAVAILABLE' })
  end()
  await closed
})
