/** `process.exit` in the middle of everything. */
import { answer, clientOf, load, serve } from '../item.js'

let calls = 0
const server = await serve(({ id }) => {
  calls += 1
  if (calls === 500) process.exit(7)
  return answer(id)
})
await load(clientOf(server.address), 64, () => false)
