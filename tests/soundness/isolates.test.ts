/** Isolates come and go, whatever they are doing, and leave nothing behind. */
import test from 'ava'
import type { Held } from './held.js'
import { program } from './program.js'
import { newSeed } from './random.js'
import { runtimes } from './runtimes.js'

interface Report {
  readonly before: Held
  readonly after: Held
  readonly answered: number
}

/** MiB by which resident memory may differ: half of it is what Node itself does not give back. */
const TOLERANCE = 40

for (const { name, env } of runtimes) {
  const count = Number(process.env.VOLO_ISOLATES ?? (name === 'inline' ? 1000 : 200))
  test.serial(`${count} isolates started and ended at random moments under load, ${name}`, async (t) => {
    t.timeout(300_000)
    const seed = newSeed()
    const { code, signal, stdout, stderr } = await program('isolates', {
      args: [count, 8, seed],
      // glibc gives every thread an arena of its own and keeps it, which would be all that is seen.
      env: { ...env, MALLOC_ARENA_MAX: '2' },
      flags: ['--expose-gc'],
      seconds: 280,
    })
    t.deepEqual({ code, signal }, { code: 0, signal: null }, `VOLO_SEED=${seed}\n${stderr}`)
    const { before, after, answered } = JSON.parse(stdout) as Report
    t.log(`VOLO_SEED=${seed}`, { before, after, answered })
    t.true(answered > count, `${answered} calls were answered`)
    t.is(after.descriptors, before.descriptors, 'descriptors')
    t.is(after.threads, before.threads, 'threads')
    t.true(after.rss - before.rss < TOLERANCE, `${after.rss} MiB after ${before.rss}`)
  })
}
