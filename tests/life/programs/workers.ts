/** Servers in workers, terminated at random moments under load, again and again. The main thread may or may not have the addon loaded. */
import { once } from 'node:events'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'

const [count, where] = process.argv.slice(2)
if (isMainThread) {
  if (where === 'main-too') {
    const { serve } = await import('../item.js')
    await (await serve()).close()
  }
  for (let n = 0; n < Number(count); n += 1) {
    const worker = new Worker(new URL(import.meta.url))
    await once(worker, 'message')
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 30))
    await worker.terminate()
  }
  console.log(`terminated ${count}`)
} else {
  const { clientOf, load, serve } = await import('../item.js')
  const server = await serve()
  parentPort?.postMessage(server.address)
  await load(clientOf(server.address), 32, () => false)
}
