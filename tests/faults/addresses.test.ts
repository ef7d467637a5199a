/** Addresses of every kind, taken, missing and left over. */
import { mkdtemp, rename, rm, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { TransportError, VoloError } from 'volo-js/thrift'
import { Raw } from './raw.js'
import { clientOf, serve } from './subject.js'
import { until } from './until.js'
import { framed, ping, pong } from './wire.js'

async function folder(t: ExecutionContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'volo-js-'))
  t.teardown(() => rm(path, { recursive: true }))
  return path
}

test('a Unix socket is served like any other, and gone when its server is', async (t) => {
  const path = join(await folder(t), 'everything.sock')
  const { server, unharmed } = await serve(t, {}, {}, `unix:${path}`)
  t.is(server.address, `unix:${path}`)
  const raw = await Raw.to(t, server.address)
  await raw.trickle(framed(ping('text')))
  t.deepEqual(await raw.bytes(framed(pong('text')).length), framed(pong('text')))
  raw.socket.destroy()
  await unharmed()
  await server.close()
  await t.throwsAsync(stat(path), { code: 'ENOENT' })
  const error = await t.throwsAsync(clientOf(t, server.address).ping('text'), { instanceOf: TransportError })
  t.is(error.sent, 'no')
})

test('a Unix socket left by a server that died is replaced; one that is served is not', async (t) => {
  const path = join(await folder(t), 'everything.sock')
  const dead = createServer()
  dead.listen(`${path}.old`)
  await once(dead, 'listening')
  // Closing removes the path it was bound to; the file lives on under another name.
  await rename(`${path}.old`, path)
  dead.close()
  t.true((await stat(path)).isSocket())
  const { server, unharmed } = await serve(t, {}, {}, `unix:${path}`)
  const error = await t.throwsAsync(serve(t, {}, {}, `unix:${path}`))
  t.true(VoloError.is(error))
  t.regex(error.message, /another server listens on this path/)
  await until('the connection that asked is counted', () => server.stats().accepted === 2)
  await unharmed()
})

test('IPv6 is served, and its addresses are in brackets', async (t) => {
  const { server, unharmed } = await serve(t, {}, {}, '[::1]:0')
  t.regex(server.address, /^\[::1\]:\d+$/)
  const raw = await Raw.to(t, server.address)
  raw.send(framed(ping('text')))
  t.deepEqual(await raw.bytes(framed(pong('text')).length), framed(pong('text')))
  raw.reset()
  await unharmed()
})

test('an address that is taken is refused, with what to do about it', async (t) => {
  const { server, unharmed } = await serve(t)
  const error = await t.throwsAsync(serve(t, {}, {}, server.address))
  t.true(VoloError.is(error))
  t.like(error, { code: 'UNAVAILABLE', sent: 'no' })
  t.regex(
    error.message,
    new RegExp(`^cannot listen on ${server.address}: .*in use.*; choose another address, or end what has it$`),
  )
  await unharmed()
})

test('a connection that is refused fails the call and says that nothing was sent', async (t) => {
  const { server } = await serve(t)
  await server.close()
  for (const pipelined of [false, true]) {
    const client = clientOf(t, server.address, (builder) => (pipelined ? builder.pipelined() : builder))
    // All that wait for the connection fail with it.
    const calls = ['a', 'b', 'c'].map((text) => t.throwsAsync(client.ping(text), { instanceOf: TransportError }))
    for (const error of await Promise.all(calls)) {
      t.like(error, { code: 'UNAVAILABLE', sent: 'no' })
      t.regex(error.message, /cannot connect to 127\.0\.0\.1:\d+: .*refused/i)
    }
  }
})

test('an address whose host has no route or no name says so', async (t) => {
  const client = clientOf(t, 'no-such-host.invalid:1')
  const error = await t.throwsAsync(client.ping('text', { timeout: '20s' }))
  t.true(VoloError.is(error))
  t.like(error, { code: 'UNAVAILABLE', sent: 'no' })
  t.regex(error.message, /no-such-host\.invalid/)
})
