/** How a process with servers and clients lives and ends: exceptions, exit, workers. */
import test from 'ava'
import { serve } from './item.js'
import { runProgram } from './run-program.js'

for (const where of ['tick', 'microtask', 'rejection']) {
  test(`a user's exception from a ${where} ends the process as Node would`, async (t) => {
    const { code, stderr, stdout } = await runProgram('throw-elsewhere', [where])
    t.is(code, 1, stderr)
    t.regex(stderr, new RegExp(`from a ${where}`))
    t.notRegex(stdout, /answered/)
  })

  test(`a user's exception from a ${where} that is caught leaves the server answering`, async (t) => {
    const { code, stdout, stderr } = await runProgram('throw-elsewhere', [where, 'listen'])
    t.is(code, 0, stderr)
    t.is(stdout, `caught from a ${where}\nanswered 20\n`)
  })
}

test('a client that is not closed keeps the process alive only while a call is in flight', async (t) => {
  const server = await serve(async ({ id }) => {
    await new Promise((resolve) => setTimeout(resolve, 200))
    return { item: { id, title: 'patience', content: '' } }
  })
  const began = performance.now()
  const { code, stdout, stderr } = await runProgram('leave-open', [server.address])
  await server.close()
  t.is(code, 0, stderr)
  t.is(stdout, 'got patience\n')
  t.true(performance.now() - began < 20_000)
})

test('process.exit in a handler under load ends with its code', async (t) => {
  const { code, signal, stderr } = await runProgram('exit-under-load')
  t.deepEqual({ code, signal, stderr }, { code: 7, signal: null, stderr: '' })
})

for (const where of ['worker-only', 'main-too']) {
  test(`workers are terminated under load, the addon loaded in ${where}`, async (t) => {
    const { code, signal, stdout, stderr } = await runProgram('workers', ['25', where])
    t.deepEqual({ code, signal, stdout }, { code: 0, signal: null, stdout: 'terminated 25\n' }, stderr)
  })
}

test('generated code needs no code generation at run time', async (t) => {
  const { code, stdout, stderr } = await runProgram(
    'no-code-generation',
    [],
    ['--disallow-code-generation-from-strings'],
  )
  t.is(code, 0, stderr)
  t.is(stdout, 'got 5\n')
})

test('a handler may close its own server', async (t) => {
  const { code, stdout, stderr } = await runProgram('close-in-handler')
  t.is(code, 0, stderr)
  t.is(stdout, 'got 5\nclosed\n')
})
