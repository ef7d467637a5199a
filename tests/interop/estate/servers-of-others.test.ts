/** Clients of this implementation call servers of Kitex and Volo. */
import test from 'ava'
import { ThriftApplicationErrorType } from 'volo-js/thrift'
import { beside, biz, chain, plain, services, structs, together, unknown, type Calls } from './calls.js'
import { formsOf, hasHeaders, peerNames, peers, readsStructs, startPeer, titleOf, type Form } from './peers.js'
import { serve } from './service.js'

/** Kitex has a type of its own for a service that it does not know. */
const UNKNOWN_SERVICE = 20

for (const name of peerNames) {
  for (const form of formsOf(name)) {
    test(`a client calls ${peers[name].title}, ${titleOf(form)}`, async (t) => {
      const server = await startPeer(name, form)
      const it: Calls = { t, address: server.address, form }
      try {
        await plain(it)
        if (readsStructs(name, form)) await structs(it)
        await together(it)
        await unknown(it, [name === 'kitex' ? UNKNOWN_SERVICE : ThriftApplicationErrorType.UNKNOWN_METHOD])
        if (hasHeaders(form)) {
          await biz(it)
          await beside(it)
          await services(it)
        }
      } finally {
        await server.stop()
      }
    })
  }

  test(`values go from a client through ${peers[name].title} and a server, and the other way round`, async (t) => {
    const form: Form = { transport: 'ttheader-framed', protocol: 'binary', mux: false }
    const errors: unknown[] = []
    const ours = await serve((error) => errors.push(error))
    const theirs = await startPeer(name, form)
    try {
      await chain({ t, address: theirs.address, form }, ours.address)
      await chain({ t, address: ours.address, form }, theirs.address)
    } finally {
      await theirs.stop()
      await ours.close({ grace: '1s' })
    }
    t.deepEqual(errors, [])
  })
}
