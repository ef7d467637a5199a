/** How a client is told what it speaks: the only place here that knows how transports and protocols are named. */
import type { ClientOptions, ThriftProtocol, ThriftTransport } from 'volo-js/thrift'

import type { Arguments } from './arguments.js'

/** What is used of a client's builder. */
interface Builder {
  transport(transport: ThriftTransport): this
  protocol(protocol: ThriftProtocol): this
  multiplexedService(): this
  options(options: ClientOptions): this
}

/** Sets framing and protocol of a client. What Apache's programs take for a protocol, `header`, is a transport: the message in it is binary. */
export function speaking<B extends Builder>(builder: B, { transport, protocol, multiplexed, zlib }: Arguments): B {
  if (multiplexed) builder.multiplexedService()
  if (protocol !== 'header') return builder.transport(transport).protocol(protocol)
  return builder.transport(transport === 'framed' ? 'header-framed' : 'header').options({ zlib })
}
