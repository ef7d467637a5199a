/** A server of gRPC's TestService: told its options by its parent, it tells its address, then its counters whenever it is asked. */
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { Server, type ServerOptions } from 'volo-js'
import { payload, testService } from '../../interop/grpc/service.js'
import { TestService } from '../../volo-gen/grpc/index.js'

const send = (message: object | string): void => void process.send!(message)

const [options] = (await once(process, 'message')) as [ServerOptions]
const handlers = {
  ...testService,
  // Long enough for its caller to be stopped or killed.
  unaryCall: async ({ responseSize }: { responseSize: number }) => {
    await wait(100)
    return { payload: payload(responseSize) }
  },
}
await Server.of(TestService, handlers)
  .options(options)
  .run('127.0.0.1:0', (handle) => {
    process.on('message', () => send(handle.stats()))
    // Only SIGTERM ends it.
    send(handle.address)
    void handle.closed.then(() => process.disconnect())
  })
