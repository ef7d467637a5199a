/** Servers of gRPC that are replaced: their connections do not move, but no call is lost. */
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

import test from 'ava'

import { keepCallingGrpc } from '../isolates/grpc-calls.js'
import { start } from '../isolates/processes.js'
import { runtimes } from '../soundness/runtimes.js'
import { freshPath, programOf } from './server.js'

for (const { name, env } of runtimes) {
  test.serial(`hot restart under unary calls and streams (${name}): 0 failed calls`, async (t) => {
    const path = freshPath()
    let current = await start(programOf('grpc-server'), ['127.0.0.1:0', path], env)
    const { address } = current
    let done = false
    const calls = keepCallingGrpc(address, 4, () => done)
    for (let n = 0; n < 3; n += 1) {
      await sleep(300)
      const next = await start(programOf('grpc-server'), [address, path], env)
      t.is((await current.ended).code, 0)
      current = next
    }
    done = true
    const { answered, failures } = await calls
    t.deepEqual(failures, [])
    t.true(answered > 0)
    current.kill('SIGTERM')
    t.is((await current.ended).code, 0)
    t.false(existsSync(path))
  })
}
