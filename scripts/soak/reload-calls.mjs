/** What callers of isolates that are replaced do in a soak run. No call of theirs may fail. */
import process from 'node:process'
import { setTimeout as wait } from 'node:timers/promises'

import { built } from '../lib/built.mjs'
import { Accounts } from './accounts.mjs'
import { whole } from './random.mjs'

const { Client } = await built('dist/bundle/index.js')
const { Everything } = await built('tests/volo-gen/index.js')
const { TestService } = await built('tests/volo-gen/grpc/index.js')

const address = process.argv[4]

export const accounts = new Accounts()

/**
 * @param {() => Promise<unknown>} call
 * @param {string | number} expected
 */
const made = async (call, expected) => {
  await accounts.made(
    call,
    (answer) => answer === expected,
    () => undefined,
  )
  // They are there to be moved, not to fill the processors.
  await wait(whole(4))
}

/** A busy machine is no reason to fail. */
const thrift = () => Client.of(Everything, 'everything').address(address).connectTimeout('10s')

const pool = thrift().pool({ size: 4 }).build()
const pipelined = thrift().pipelined().build()
const grpc = Client.of(TestService, 'test').address(address).connectTimeout('10s').build()

/** Those that stay. */
export const kept = [pool, pipelined, grpc]

/** What happens, over and over; each in as many lanes as it says. @type {readonly [lanes: number, step: () => Promise<void>][]} */
export const steps = [
  [4, () => made(() => pool.toString('3 ms'), '3 ms')],
  [4, () => made(() => pipelined.ping('moved'), 'moved')],
  [
    4,
    () => {
      const call = async () => (await grpc.unaryCall({ responseSize: 100 })).payload?.body.length
      return made(call, 100)
    },
  ],
  [
    2,
    () => {
      const asked = Array.from({ length: 10 }, () => ({ size: 10, intervalUs: 1000 }))
      const call = async () => {
        let read = 0
        for await (const _ of grpc.streamingOutputCall({ responseParameters: asked })) read += 1
        return read
      }
      return made(call, 10)
    },
  ],
  // On a connection that is made now.
  [
    1,
    async () => {
      const client = thrift().build()
      await made(() => client.ping('new'), 'new')
      await Client.close(client)
    },
  ],
]
