/** A client whose process has no descriptor left: `starved-client.js ADDRESS`. Its call says so; one made later, when there are some, is answered. */
import { closeSync, openSync } from 'node:fs'
import { Client, VoloError } from 'volo-js/thrift'
import { Everything } from '../../volo-gen/index.js'

const [address] = process.argv.slice(2)
const client = Client.of(Everything, 'everything').address(address).build()
const connected = Client.of(Everything, 'everything').address(address).build()
await connected.ping('connected')

const taken: number[] = []
for (;;) {
  try {
    taken.push(openSync('/dev/null', 'r'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EMFILE') throw error
    break
  }
}
const outcome = await client.ping('starved').catch((error: unknown) => error)
const other = await connected.ping('still connected')
for (const descriptor of taken) closeSync(descriptor)

if (!VoloError.is(outcome)) throw new Error(`the call ended with ${String(outcome)}`)
console.log(JSON.stringify({ code: outcome.code, sent: outcome.sent, message: outcome.message }))
console.log(other)
console.log(await client.ping('fed'))
