/** Isolates come and go, whatever they are doing, and leave nothing behind. */
import test from 'ava'
import type { Held } from './held.js'
import { program } from './program.js'
import { newSeed } from './random.js'
import { runtimes } from './runtimes.js'

interface Report {
  readonly before: Held
  readonly between: Held
  readonly after: Held
  readonly answered: number
}

/** MiB by which resident memory may grow in half of a run: half of it is what Node itself does not give back. */
const TOLERANCE = 20

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
    const { before, between, after, answered } = JSON.parse(stdout) as Report
    t.log(`VOLO_SEED=${seed}`, { before, between, after, answered })
    t.true(answered > count, `${answered} calls were answered`)
    t.is(after.descriptors, before.descriptors, 'descriptors')
    t.is(after.threads, before.threads, 'threads')
    // What the allocator takes once, at a moment of its own, is no leak: that would show in both halves.
    const growth = Math.min(between.rss - before.rss, after.rss - between.rss)
    t.true(growth < TOLERANCE, `resident memory of ${before.rss}, ${between.rss} and ${after.rss} MiB`)
  })
}
