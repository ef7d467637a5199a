/** A main program of isolates: `supervisor.js COUNT`. */
import { runIsolates } from 'volo-js'

const isolates = await runIsolates(new URL('./server.js', import.meta.url), {
  count: Number(process.argv[2]),
  workerData: { address: '127.0.0.1:0', tells: true },
})
console.log(`listening ${isolates.addresses[0]}`)
await isolates.closed
console.log('closed')
