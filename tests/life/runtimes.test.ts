/** Which runtime moves the bytes, and what is told of it. */
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import { Client, Server, VoloError, type RuntimeKind, type RuntimeOptions, type ServerHandle } from 'volo-js/thrift'
import { everything } from '../interop/handlers.js'
import { Everything } from '../volo-gen/index.js'

// What operators set comes before what these tests ask for.
delete process.env.VOLO_RUNTIME
delete process.env.VOLO_THREADS

/** Threads of this process by name. */
function threads(prefix: string): string[] {
  return readdirSync('/proc/self/task')
    .map((id) => readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trim())
    .filter((name) => name.startsWith(prefix))
}

function rings(): number {
  const links = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`)
    } catch {
      // The descriptor that read the folder.
      return ''
    }
  })
  return links.filter((link) => link.includes('io_uring')).length
}

async function listen(kind: RuntimeKind, options?: RuntimeOptions): Promise<ServerHandle> {
  return Server.of(Everything, everything()).runtime(kind, options).listen('127.0.0.1:0')
}

async function calls(t: import('ava').ExecutionContext, server: ServerHandle, kind: RuntimeKind): Promise<void> {
  await using client = Client.of(Everything, 'everything').runtime(kind).address(server.address).build()
  t.deepEqual(await Promise.all(['a', 'b', 'c'].map((text) => client.ping(text))), ['a', 'b', 'c'])
}

test.serial('inline has no threads of its own', async (t) => {
  await using server = await listen('inline')
  t.deepEqual(server.runtime, { kind: 'inline', driver: 'epoll', threads: 0 })
  await calls(t, server, 'inline')
  t.deepEqual(threads('volo-'), [])
})

test.serial(
  'tokio and monoio have as many threads as they were asked for, shared by servers and clients',
  async (t) => {
    for (const kind of ['tokio', 'monoio'] as const) {
      await using server = await listen(kind, { threads: 2 })
      await using other = await listen(kind, { threads: 2 })
      t.is(server.runtime.kind, kind)
      t.is(server.runtime.threads, 2)
      t.is(threads(`volo-${kind}`).length, 2)
      await calls(t, server, 'inline')
      await calls(t, other, kind)
      t.is(threads(`volo-${kind}`).length, 3, 'one more for clients that asked for one')
    }
  },
)

test.serial('monoio runs on io_uring, and says so', async (t) => {
  await using server = await listen('monoio')
  t.is(server.runtime.driver, 'io_uring')
  t.true(rings() > 0)
  await calls(t, server, 'monoio')
})

test.serial('monoio runs on epoll where the kernel refuses io_uring, and says so', async (t) => {
  const file = (name: string) => fileURLToPath(new URL(`./programs/${name}`, import.meta.url))
  const refused = [file('without-io-uring.py'), process.execPath, file('monoio.js')]
  const { stdout } = await promisify(execFile)('python3', refused)
  t.deepEqual(JSON.parse(stdout), { kind: 'monoio', driver: 'epoll', threads: 2, answered: '7' })
})

test.serial('what operators set comes before what the program says', async (t) => {
  process.env.VOLO_RUNTIME = 'tokio'
  process.env.VOLO_THREADS = '3'
  t.teardown(() => {
    delete process.env.VOLO_RUNTIME
    delete process.env.VOLO_THREADS
  })
  await using server = await listen('inline')
  t.deepEqual(server.runtime, { kind: 'tokio', driver: 'epoll', threads: 3 })
  process.env.VOLO_RUNTIME = 'glommio'
  const error = await t.throwsAsync(listen('inline'), { instanceOf: VoloError })
  t.regex(error?.message ?? '', /VOLO_RUNTIME: there is no runtime 'glommio'; there are inline, tokio, monoio/)
})

test.serial('a runtime that is none is refused', async (t) => {
  await t.throwsAsync(listen('epoll' as never), { message: /there is no runtime 'epoll'/ })
  for (const threads of [0, 1.5, -1, 1000]) {
    await t.throwsAsync(listen('tokio', { threads }), { message: /between 1 and 256 threads/ })
  }
})

test.serial('an address in memory is inline whatever is asked for', async (t) => {
  await using server = await Server.of(Everything, everything()).runtime('tokio').listen('memory:runtimes')
  t.is(server.runtime.kind, 'inline')
  await using client = Client.of(Everything, 'everything').runtime('monoio').address('memory:runtimes').build()
  t.is(await client.ping('here'), 'here')
})

test.serial('the peer of a call is known on every thread', async (t) => {
  for (const kind of ['inline', 'tokio', 'monoio'] as const) {
    const peers: string[] = []
    const handlers = {
      ...everything(),
      ping: (text: string, cx: import('volo-js/thrift').ThriftContext) => {
        peers.push(cx.peer.address)
        return text
      },
    }
    await using server = await Server.of(Everything, handlers).runtime(kind, { threads: 2 }).listen('127.0.0.1:0')
    await calls(t, server, 'inline')
    t.is(new Set(peers).size, 3)
    for (const peer of peers) t.regex(peer, /^127\.0\.0\.1:\d+$/)
  }
})
