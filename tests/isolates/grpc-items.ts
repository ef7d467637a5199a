/** Handlers of ItemService over gRPC for servers that are replaced: a stream takes its time. */
import { setTimeout as sleep } from 'node:timers/promises'

import { VoloError, type Handlers } from 'volo-js'

import type { ItemService } from '../../examples/volo-gen/grpc/index.js'

export const items: Handlers<typeof ItemService> = {
  getItem: ({ id }) => ({ item: { id } }),
  async *streamItems({ id }) {
    for (let n = 1n; n <= 10n; n += 1n) {
      await sleep(2)
      yield { id: id + n }
    }
  },
  clientStream: () => {
    throw new VoloError('UNIMPLEMENTED', 'nobody calls it here')
  },
  async *bidirectionalStream(sent) {
    for await (const item of sent) yield item
  },
}
