import test from 'ava'

import { chooseRuntime } from './runtime.js'

test.beforeEach(() => {
  delete process.env.VOLO_RUNTIME
  delete process.env.VOLO_THREADS
})

test.serial('inline is the default, tokio on Windows', (t) => {
  t.deepEqual(chooseRuntime(undefined, {}, 'linux'), { runtime: 'inline', threads: 0 })
  t.deepEqual(chooseRuntime(undefined, {}, 'darwin'), { runtime: 'inline', threads: 0 })
  t.deepEqual(chooseRuntime(undefined, {}, 'win32'), { runtime: 'tokio', threads: 1 })
  process.env.VOLO_THREADS = '3'
  t.deepEqual(chooseRuntime(undefined, {}, 'win32'), { runtime: 'tokio', threads: 3 })
})

test.serial('Windows has tokio alone', (t) => {
  t.deepEqual(chooseRuntime('tokio', { threads: 2 }, 'win32'), { runtime: 'tokio', threads: 2 })
  for (const kind of ['inline', 'monoio'] as const) {
    t.throws(() => chooseRuntime(kind, {}, 'win32'), {
      code: 'FAILED_PRECONDITION',
      message: /^Windows has no runtime '(inline|monoio)'; use 'tokio'/,
    })
    t.is(chooseRuntime(kind, {}, 'linux').runtime, kind)
  }
})

test.serial('what the environment says comes first, and is named where it is wrong', (t) => {
  process.env.VOLO_RUNTIME = 'inline'
  t.is(chooseRuntime('tokio', {}, 'linux').runtime, 'inline')
  t.throws(() => chooseRuntime('tokio', {}, 'win32'), { message: /^VOLO_RUNTIME: Windows has no runtime 'inline'/ })
  process.env.VOLO_RUNTIME = 'tokyo'
  t.throws(() => chooseRuntime(undefined, {}, 'win32'), {
    code: 'INVALID_ARGUMENT',
    message: /^VOLO_RUNTIME: there is no runtime 'tokyo'/,
  })
  process.env.VOLO_RUNTIME = 'tokio'
  t.is(chooseRuntime('inline', {}, 'win32').runtime, 'tokio')
})
