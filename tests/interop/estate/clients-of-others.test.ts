/** Clients of Kitex and Volo call servers of this implementation. */
import test from 'ava'
import { until } from '../../faults/until.js'
import { callFrom, formsOf, peerNames, peers, titleOf } from './peers.js'
import { serve } from './service.js'

for (const name of peerNames) {
  for (const form of formsOf(name)) {
    test(`${peers[name].title} calls a server, ${titleOf(form)}`, async (t) => {
      const errors: unknown[] = []
      const server = await serve((error) => errors.push(error))
      t.teardown(() => server.close({ grace: '1s' }))
      const { code, output } = await callFrom(name, form, server.address.replace(/.*:/, ''))
      t.is(code, 0, output)
      t.regex(output, /ok \d+ calls/)
      t.deepEqual(errors, [], 'what the handlers throw are answers, declared or not')
      // Without a header the server does not know the deadline of a call that its client has given up: that handler may still run.
      await until('every handler has ended', () => server.stats().inFlight === 0)
      const stats = server.stats()
      t.is(stats.protocolErrors, 0)
      t.is(stats.unknownMethods, 1)
    })
  }
}
