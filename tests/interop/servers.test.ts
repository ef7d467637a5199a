/** Clients of this implementation call servers of others. */
import test from 'ava'
import { ThriftApplicationError, ThriftApplicationErrorType } from 'volo-js/thrift'
import { Everything } from '../volo-gen/index.js'
import { clientOf, elsewhere, generated, modes, type Fixture } from './fixtures.js'
import { generatedExceptions } from './handlers.js'
import { peerNames, peers, startPeer, transports } from './peers.js'
import { sweep } from './sweep.js'

for (const name of peerNames) {
  for (const transport of transports) {
    for (const mode of modes) {
      test(`${mode} calls ${peers[name].name}, ${transport}: every method, every type, their limits`, async (t) => {
        const can = peers[name].abilities
        const { service, classes }: Fixture = can.reserved
          ? await generated('servers')
          : { service: Everything, classes: generatedExceptions }
        const server = await startPeer(name, transport)
        try {
          await using client = clientOf(service, server.address, mode, transport)
          await sweep({ t, client, classes, can })
        } finally {
          await server.stop()
        }
      })
    }

    test(`${peers[name].name} says that it does not know a method, ${transport}`, async (t) => {
      const server = await startPeer(name, transport)
      try {
        const service = await elsewhere()
        {
          await using client = clientOf(service, server.address, 'pool', transport)
          const error = await t.throwsAsync(client.nowhere('text'), { instanceOf: ThriftApplicationError })
          // npm's thrift forgets to send the type.
          t.is(error.type, name === 'npm' ? 0 : ThriftApplicationErrorType.UNKNOWN_METHOD)
          t.is(error.code, name === 'npm' ? 'UNKNOWN' : 'UNIMPLEMENTED')
          t.is(error.sent, 'yes')
        }
        // Volo closes the connection behind its answer, so this is another one.
        await using client = clientOf(service, server.address, 'pool', transport)
        t.is(await client.ping('still there'), 'still there')
      } finally {
        await server.stop()
      }
    })
  }
}
