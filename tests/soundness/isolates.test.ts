/** Isolates come and go, whatever they are doing, and leave nothing behind. */
import test from 'ava'
import { givingBack, type Held } from './held.js'
import { program } from './program.js'
import { newSeed } from './random.js'
import { runtimes } from './runtimes.js'

interface Report {
  readonly before: Held
  readonly between: Held
  readonly after: Held
  readonly answered: number
}

/** MiB by which resident memory may grow in half of a run. */
const TOLERANCE = 10

for (const { name, env } of runtimes) {
  const count = Number(process.env.VOLO_ISOLATES ?? (name === 'inline' ? 1000 : 200))
  test.serial(`${count} isolates started and ended at random moments under load, ${name}`, async (t) => {
    t.timeout(300_000)
    const seed = newSeed()
    const { code, signal, stdout, stderr } = await program('isolates', {
      args: [count, 8, seed],
      env: { ...env, ...givingBack.env },
      flags: givingBack.flags,
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
