/** A `node:cluster` of servers on one port: `cluster.js WORKERS`. A worker that dies is replaced; they answer with their process id. */
import cluster from 'node:cluster'

import { Server } from 'volo-js/thrift'
import { ItemService } from '../../../examples/volo-gen/index.js'

if (cluster.isPrimary) {
  let isEnding = false
  let running = 0
  const fork = (address: string) => {
    running += 1
    const worker = cluster.fork({ ADDRESS: address })
    worker.on('exit', () => {
      running -= 1
      if (!isEnding) fork(bound)
      else if (running === 0) process.exit()
    })
    return worker
  }
  let bound = ''
  const first = fork('127.0.0.1:0')
  await new Promise<void>((resolve) => {
    first.once('message', (address: string) => {
      bound = address
      resolve()
    })
  })
  for (let n = 1; n < Number(process.argv[2]); n += 1) fork(bound)
  console.log(`listening ${bound}`)
  process.on('SIGTERM', () => {
    isEnding = true
    for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGTERM')
  })
} else {
  await Server.of(ItemService, {
    getItem: ({ id }) => {
      if (id === -2n) process.exit(3)
      return { item: { id, title: String(process.pid), content: '' } }
    },
  })
    .options({ reusePort: true })
    .run(process.env.ADDRESS ?? '', ({ address }) => process.send?.(address))
  process.exit()
}
