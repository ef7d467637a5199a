/** Generated code and loadThrift are two ways to the same bytes: each serves the other. */
import test from 'ava'
import { Server } from 'volo-js/thrift'
import { clientOf, generated, loaded, modes } from './fixtures.js'
import { everythingReserved } from './handlers.js'
import { all, transports } from './peers.js'
import { sweep } from './sweep.js'

const ways = { 'generated code': () => generated('generated'), loadThrift: loaded }

for (const [served, serverFixture] of Object.entries(ways)) {
  for (const [called, clientFixture] of Object.entries(ways)) {
    test(`${called} calls ${served}: the same answers over the wire`, async (t) => {
      const { service, classes } = await serverFixture()
      const errors: unknown[] = []
      await using server = await Server.of(service, everythingReserved(classes))
        .options({ onError: (error) => errors.push(error) })
        .listen('127.0.0.1:0')
      const { service: ours, classes: our } = await clientFixture()
      for (const transport of transports) {
        for (const mode of modes) {
          await using client = clientOf(ours, server.address, mode, transport)
          await sweep({ t, client, classes: our, can: all })
        }
      }
      t.is(errors.length, 4)
      t.is(server.stats().protocolErrors, 0)
    })
  }
}

test('both ways have one wire schema', async (t) => {
  const [one, other] = await Promise.all(Object.values(ways).map((fixture) => fixture()))
  t.is(one.service.program.hash, other.service.program.hash)
})
