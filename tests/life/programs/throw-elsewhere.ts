/** A user's own exception, thrown outside of any handler while a batch is delivered. `listen`: with a listener for it. */
import { answer, clientOf, serve } from '../item.js'

const [where, listen] = process.argv.slice(2)
if (listen === 'listen') process.on('uncaughtException', (error) => console.log(`caught ${error.message}`))

const fire: Record<string, () => void> = {
  tick: () =>
    process.nextTick(() => {
      throw new Error('from a tick')
    }),
  microtask: () =>
    queueMicrotask(() => {
      throw new Error('from a microtask')
    }),
  rejection: () => void Promise.reject(new Error('from a rejection')),
}
let calls = 0
const server = await serve(({ id }) => {
  calls += 1
  if (calls === 3) fire[where]?.()
  return answer(id)
})
const client = clientOf(server.address)
for (let n = 0n; n < 20n; n += 1n) await client.getItem({ id: n })
console.log(`answered ${calls}`)
await server.close()
