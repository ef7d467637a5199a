/** Isolates that hand over: `isolates.js ADDRESS,... PATH COUNT [START_TIMEOUT]`. SIGHUP replaces them. */
import { runIsolates, type Duration } from 'volo-js'

const [addresses, path, count, startTimeout = '30s'] = process.argv.slice(2)

try {
  const isolates = await runIsolates(new URL('./isolate.js', import.meta.url), {
    count: Number(count),
    argv: addresses.split(','),
    startTimeout: startTimeout as Duration,
    handover: path,
  })
  process.on('SIGHUP', () => void isolates.reload())
  console.log(`listening ${isolates.addresses[0]}`)
  await isolates.closed
  console.log('ended')
} catch (error) {
  console.log(`failed ${(error as Error).message}`)
  process.exitCode = 1
}
