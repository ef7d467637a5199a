/** A server of Everything: told its options by its parent, it tells its address, then its counters whenever it is asked. */
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { Server, type ServerOptions } from 'volo-js/thrift'
import { everything } from '../../interop/handlers.js'
import { Everything } from '../../volo-gen/index.js'

const send = (message: object | string): void => void process.send!(message)

const [options] = (await once(process, 'message')) as [ServerOptions]
const handlers = {
  ...everything(),
  // Long enough for its caller to be stopped or killed; what is held is not answered at all.
  toString: async (text: string) => {
    await wait(text.startsWith('held') ? 3_600_000 : 100, undefined, { ref: false })
    return text
  },
}
await Server.of(Everything, handlers)
  .options(options)
  .run('127.0.0.1:0', (handle) => {
    process.on('message', () => send(handle.stats()))
    // Only SIGTERM ends it.
    send(handle.address)
    void handle.closed.then(() => process.disconnect())
  })
