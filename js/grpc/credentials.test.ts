import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import test, { type ExecutionContext } from 'ava'

import type { GrpcCallOptions } from '../core/call-options.js'
import { Client } from '../core/client.js'
import type { ClientOptions } from '../core/client-options.js'
import type { GrpcContext } from '../core/context.js'
import { TransportError, VoloError } from '../core/errors.js'
import { layerFn } from '../core/layer.js'
import { Server } from '../core/server.js'
import { bearer, type CallCredentials, type CredentialsRequest } from './call-credentials.js'
import { loadProto } from './load.js'

const { ItemService } = await loadProto(fileURLToPath(new URL('../../examples/item.proto', import.meta.url)))
const pem = (name: string): Buffer =>
  readFileSync(fileURLToPath(new URL(`../../tests/fixtures/tls/${name}`, import.meta.url)))

interface Item {
  title: string
}
interface Calls {
  getItem(request: object, options?: GrpcCallOptions): Promise<{ item: Item }>
  streamItems(request: object, options?: GrpcCallOptions): AsyncIterable<Item>
}

/** A server whose items have what the caller says of itself as their titles. */
async function serve(t: ExecutionContext, isSecure: boolean): Promise<string> {
  const title = (cx: GrpcContext): string => {
    const own = [...cx.metadata].filter(([name]) => name !== 'user-agent')
    return own.map(([name, value]) => `${name}=${value}`).join(' ')
  }
  const server = new Server().add(ItemService, {
    getItem: (_: unknown, cx: GrpcContext) => ({ item: { title: title(cx) } }),
    async *streamItems(_: unknown, cx: GrpcContext) {
      yield await Promise.resolve({ title: title(cx) })
    },
    clientStream: () => ({}),
    async *bidirectionalStream() {
      yield await Promise.resolve({})
    },
  })
  if (isSecure) server.tls({ cert: pem('server.pem'), key: pem('server.key') })
  const handle = await server.listen('127.0.0.1:0')
  t.teardown(() => handle.close({ grace: '100ms' }))
  return handle.address
}

function call(t: ExecutionContext, address: string, options: ClientOptions, isSecure = true): Calls {
  const builder = Client.of(ItemService, 'items').address(address).options(options)
  if (isSecure) builder.tls({ ca: pem('ca.pem'), serverName: 'localhost' })
  const client = builder.build()
  t.teardown(() => Client.close(client, { grace: '100ms' }))
  return client as unknown as Calls
}

const later =
  (credentials: CallCredentials): CallCredentials =>
  async (request) => {
    await sleep(10)
    return credentials(request)
  }

test('credentials of the client and of the call travel beside its metadata, and are asked for each time', async (t) => {
  const address = await serve(t, true)
  let tokens = 0
  const asked: CredentialsRequest[] = []
  for (const timing of [(it: CallCredentials) => it, later]) {
    const client = call(t, address, {
      authority: 'items.example:443',
      credentials: timing((request) => {
        asked.push(request)
        tokens += 1
        return { 'x-client': `${tokens}` }
      }),
    })
    const options = { metadata: { 'x-own': 'yes' }, credentials: timing(bearer(() => 'secret')) }
    const both = (await client.getItem({}, options)).item.title
    t.is(both, `x-own=yes x-client=${tokens} authorization=Bearer secret`)
    const streamed: string[] = []
    for await (const { title } of client.streamItems({}, options)) streamed.push(title)
    t.deepEqual(streamed, [`x-own=yes x-client=${tokens} authorization=Bearer secret`])
    t.is((await client.getItem({})).item.title, `x-client=${tokens}`)
  }
  t.is(tokens, 6)
  t.like(asked[0], {
    service: 'volo.example.ItemService',
    method: 'GetItem',
    audience: 'https://items.example/volo.example.ItemService',
  })
})

test('every attempt of a call has credentials of its own', async (t) => {
  const address = await serve(t, true)
  let tokens = 0
  const credentials: CallCredentials = () => ({ 'x-token': `${(tokens += 1)}` })
  const again = layerFn('again', async (cx, request, next) => {
    await next(cx, request)
    return next(cx, request)
  })
  const builder = Client.of(ItemService, 'items')
    .address(address)
    .tls({ ca: pem('ca.pem'), serverName: 'localhost' })
  const client = builder.options({ credentials }).layerOuter(again).build()
  t.teardown(() => Client.close(client))
  t.is((await (client as unknown as Calls).getItem({})).item.title, 'x-token=2')
})

test('credentials do not travel in the clear unless somebody says so', async (t) => {
  const address = await serve(t, false)
  const credentials = bearer('secret')
  t.throws(() => call(t, address, { credentials }, false), { code: 'INVALID_ARGUMENT', message: /no TLS/ })
  const client = call(t, address, {}, false)
  await t.throwsAsync(client.getItem({}, { credentials }), { code: 'UNAUTHENTICATED', message: /no TLS/ })
  const messages = client.streamItems({}, { credentials })[Symbol.asyncIterator]()
  await t.throwsAsync(messages.next(), { code: 'UNAUTHENTICATED' })
  const told = call(t, address, { credentials, insecureCredentials: true }, false)
  t.is((await told.getItem({})).item.title, 'authorization=Bearer secret')
})

test('credentials that fail end the call before anything is sent, with a code that fits', async (t) => {
  const client = call(t, await serve(t, true), {})
  const cases: [thrown: unknown, code: string][] = [
    [new Error('no token'), 'UNAUTHENTICATED'],
    [new TransportError('UNAVAILABLE', 'no token'), 'UNAVAILABLE'],
    [new VoloError('PERMISSION_DENIED', 'no token'), 'PERMISSION_DENIED'],
    [new VoloError('NOT_FOUND', 'no token'), 'INTERNAL'],
  ]
  for (const [thrown, code] of cases) {
    const throwing: CallCredentials = () => {
      throw thrown
    }
    for (const credentials of [throwing, later(throwing)]) {
      const failed = await t.throwsAsync(client.getItem({}, { credentials }))
      t.like(failed, { code, sent: 'no', cause: thrown })
      t.is(failed.message, 'volo.example.ItemService.GetItem has no credentials: no token')
      const messages = client.streamItems({}, { credentials })[Symbol.asyncIterator]()
      await t.throwsAsync(messages.next(), { code } as never)
    }
  }
  await t.throwsAsync(client.getItem({}, { credentials: () => ({ 'grpc-timeout': '1S' }) }), {
    message: /belongs to gRPC itself/,
  })
})

test('a token that never comes does not outlive the call', async (t) => {
  const client = call(t, await serve(t, true), {})
  const signals: AbortSignal[] = []
  const credentials: CallCredentials = ({ signal }) => {
    signals.push(signal)
    return new Promise(() => undefined)
  }
  const late = await t.throwsAsync(client.getItem({}, { credentials, timeout: 50 }))
  t.like(late, { code: 'DEADLINE_EXCEEDED', sent: 'no' })
  const messages = client.streamItems({}, { credentials, timeout: 50 })[Symbol.asyncIterator]()
  await t.throwsAsync(messages.next(), { code: 'DEADLINE_EXCEEDED' } as never)
  const controller = new AbortController()
  const given = client.getItem({}, { credentials, signal: controller.signal })
  controller.abort(new Error('enough'))
  await t.throwsAsync(given, { message: 'enough' })
  t.deepEqual(
    signals.map(({ aborted }) => aborted),
    [true, true, true],
  )
})
