/** A proxy on I/O threads whose own thread waits from the moment that it listens until it is told to go on. */
import { parentPort, workerData } from 'node:worker_threads'
import { Client, proxy, Server, type RuntimeKind } from 'volo-js/thrift'
import { Everything } from '../../volo-gen/index.js'

const { upstream, runtime } = workerData as { readonly upstream: string; readonly runtime: RuntimeKind }
const items = Client.of(Everything, 'everything').address(upstream).pipelined()
const server = await new Server().add(proxy(Everything, items)).runtime(runtime).listen('127.0.0.1:0')
const held = new Int32Array(new SharedArrayBuffer(4))
parentPort!.postMessage([server.address, held])
Atomics.store(held, 0, 1)
Atomics.wait(held, 0, 1)
await server.close({ grace: 0 })
