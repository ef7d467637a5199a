/** Clients that nobody closes. */
import test from 'ava'
import { serve } from '../life/item.js'
import { givingBack, type Held } from './held.js'
import { program } from './program.js'
import { runtimes } from './runtimes.js'

for (const { name, env } of runtimes) {
  test(`clients that are dropped without being closed are collected with their connections, ${name}`, async (t) => {
    const server = await serve()
    const { code, stdout, stderr } = await program('dropped-clients', {
      args: [server.address, 30],
      env: { ...env, ...givingBack.env },
      flags: givingBack.flags,
    })
    t.is(code, 0, stderr)
    const { before, after } = JSON.parse(stdout) as { before: Held; after: Held }
    t.log({ before, after })
    t.true(after.descriptors <= before.descriptors, `${after.descriptors} descriptors after ${before.descriptors}`)
    t.is(after.threads, before.threads)
    // Fifteen hundred clients came and went.
    t.true(after.rss - before.rss < 10, `${after.rss} MiB after ${before.rss}`)
    t.is(server.stats().accepted >= 1500, true)
    await server.close()
  })
}
