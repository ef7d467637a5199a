/** Makes unary calls and streams of gRPC all the time: `grpc-caller.js ADDRESS`. Tells its parent once it has begun. */
import { Client } from 'volo-js'
import { TestService } from '../../volo-gen/grpc/index.js'

const client = Client.of(TestService, 'test').address(process.argv[2]).build()
const endless = Array.from({ length: 1000 }, () => ({ size: 100, intervalUs: 5000 }))

const lanes = Array.from({ length: 16 }, async (_, n) => {
  for (;;) {
    if (n % 2 === 0) await client.unaryCall({ responseSize: 10 })
    else for await (const _ of client.streamingOutputCall({ responseParameters: endless })) continue
  }
})
process.send!('calling')
await Promise.all(lanes)
