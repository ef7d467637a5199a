/** Clients of other implementations call servers of this one. */
import test from 'ava'
import { Server } from 'volo-js/thrift'
import { generated, loaded } from './fixtures.js'
import { everythingReserved } from './handlers.js'
import { callFrom, peerNames, peers, transports } from './peers.js'

const services = { 'generated code': () => generated('clients'), loadThrift: loaded }

for (const name of peerNames) {
  for (const transport of transports) {
    for (const [way, fixture] of Object.entries(services)) {
      test(`${peers[name].name} calls a server of ${way}, ${transport}`, async (t) => {
        const { service, classes } = await fixture()
        const errors: unknown[] = []
        const server = await Server.of(service, everythingReserved(classes))
          .options({ onError: (error) => errors.push(error) })
          .listen('127.0.0.1:0')
        const { code, output } = await callFrom(name, transport, server.address.replace(/.*:/, ''))
        t.is(code, 0, output)
        t.regex(output, /ok \d+ calls/)
        t.deepEqual(
          errors.map((error) => (error as Error).message),
          ['kind 3'],
          'only the error that is not declared is one',
        )
        const stats = server.stats()
        t.is(stats.protocolErrors, 0)
        t.is(stats.unknownMethods, 0)
        t.is(stats.inFlight, 0)
        t.is(stats.exceptions, 1)
        t.is(stats.abandoned, 0)
        await server.close({ grace: '1s' })
      })
    }
  }
}
