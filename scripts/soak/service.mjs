/** What the servers of a soak run serve: Thrift and gRPC on one port. */
import { setTimeout as wait } from 'node:timers/promises'

import { built } from '../lib/built.mjs'

const { Server } = await built('dist/bundle/index.js')
const { Everything } = await built('tests/volo-gen/index.js')
const { everything } = await built('tests/interop/handlers.js')
const { TestService } = await built('tests/volo-gen/grpc/index.js')
const { testService } = await built('tests/interop/grpc/service.js')

/** What this process has seen. */
export const seen = { oneway: 0, events: 0 }

const handlers = {
  ...everything(),
  /** Answers late if its text says so: `5 ...` after 5 ms. */
  toString: (/** @type {string} */ text) => {
    const after = Number.parseInt(text, 10)
    return after > 0 ? wait(after, text) : text
  },
  notify: () => {
    seen.oneway += 1
  },
}

/** A server that listens nowhere yet. */
export const server = () =>
  new Server()
    .add(Everything, handlers)
    .add(TestService, testService)
    .options({
      maxUnwritten: '256KiB',
      frameTimeout: '5s',
      // Raw peers give it plenty to complain about, and one of the methods fails on purpose.
      onError: () => undefined,
      onEvent: () => (seen.events += 1),
    })
