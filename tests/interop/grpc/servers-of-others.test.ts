/** Our client calls servers of other implementations. */
import test from 'ava'
import { cases, subjectAt } from './cases.js'
import type { Running } from '../../peer-programs.js'
import { channels, clientTls, compressedCases, compressedGoServer, goServer, jsServer } from './peers.js'

/** Every case, each with clients of its own, so that none lives of what another left behind. */
const servers: readonly {
  readonly title: string
  readonly start: () => Promise<Running>
  readonly tls?: typeof clientTls | undefined
}[] = [
  ...channels.map((channel) => ({
    title: `grpc-go, ${channel.name}`,
    start: () => goServer(channel),
    tls: channel.isSecure ? clientTls : undefined,
  })),
  ...channels.map((channel) => ({
    title: `grpc-js, ${channel.name}`,
    start: () => jsServer(channel),
    tls: channel.isSecure ? clientTls : undefined,
  })),
]

for (const { title, start, tls } of servers) {
  test(`interoperability tests with the server of ${title}`, async (t) => {
    const server = await start()
    try {
      for (const [name, run] of Object.entries(cases)) {
        await using subject = subjectAt(`127.0.0.1:${server.port}`, {}, tls)
        await t.notThrowsAsync(run(subject), name)
      }
    } finally {
      await server.stop()
    }
  })

  test(`all cases at once over one connection to the server of ${title}`, async (t) => {
    const server = await start()
    try {
      await using subject = subjectAt(`127.0.0.1:${server.port}`, {}, tls)
      await Promise.all(Object.entries(cases).map(([name, run]) => t.notThrowsAsync(run(subject), name)))
    } finally {
      await server.stop()
    }
  })
}

for (const { title, compression, start } of [
  { title: 'grpc-go', compression: 'gzip', start: compressedGoServer },
  { title: 'grpc-go', compression: 'zstd', start: compressedGoServer },
  { title: 'grpc-js', compression: 'gzip', start: () => jsServer(channels[0]) },
  { title: 'grpc-js', compression: 'deflate', start: () => jsServer(channels[0]) },
] as const) {
  test(`requests with ${compression} to the server of ${title}`, async (t) => {
    const server = await start()
    try {
      await using subject = subjectAt(`127.0.0.1:${server.port}`, { compression })
      for (const name of compressedCases) await t.notThrowsAsync(cases[name](subject), name)
    } finally {
      await server.stop()
    }
  })
}
