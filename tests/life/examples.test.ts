/** The examples of gRPC do what they say, as programs. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import test from 'ava'

/** Starts an example; `output` is what it has printed. */
function start(name: string, port: string): { child: ChildProcess; output: () => string } {
  const file = fileURLToPath(new URL(`../../examples/${name}.js`, import.meta.url))
  const child = spawn(process.execPath, [file, '--port', port], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (data: Buffer) => (output += data.toString()))
  return { child, output: () => output }
}

test('item-grpc-client calls the four methods of item-grpc-server', async (t) => {
  const server = start('item-grpc-server', '0')
  t.teardown(() => server.child.kill('SIGKILL'))
  const ended = once(server.child, 'close')
  while (!server.output().includes('listening on') && server.child.exitCode === null) {
    await Promise.race([once(server.child.stdout as NodeJS.ReadableStream, 'data'), ended])
  }
  const port = /:(\d+) /.exec(server.output())?.[1] ?? ''
  const client = start('item-grpc-client', port)
  t.teardown(() => client.child.kill('SIGKILL'))
  const [code] = (await once(client.child, 'close')) as [number]
  t.is(code, 0)
  const lines = client.output().split('\n')
  t.regex(client.output(), /id: 1024n,\s+title: 'Hello gRPC',\s+content: 'Powered by Volo'/)
  t.deepEqual(
    lines.filter((line) => /^\d+n? Item \d+$/.test(line)),
    Array.from({ length: 10 }, (_, n) => `${1025 + n}n Item ${n + 1}`),
  )
  t.true(lines.includes('last sent: Mine 3'))
  t.deepEqual(
    lines.filter((line) => line.startsWith('back again:')),
    [1, 2, 3].map((n) => `back again: Mine ${n}`),
  )
  server.child.kill('SIGTERM')
  const [status] = (await once(server.child, 'close')) as [number]
  t.is(status, 0)
})
