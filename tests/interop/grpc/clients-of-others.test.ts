/** Clients of other implementations call our server. */
import test from 'ava'
import { Server, type ServerOptions } from 'volo-js'
import { TestService } from '../../volo-gen/grpc/index.js'
import { caseNames, channels, compressedCases, compressedGoClient, goClient, jsClient, serverTls } from './peers.js'
import { testService } from './service.js'

/** Serves the interoperability tests while `use` runs, and then sees that nothing went wrong behind its back. */
async function serving(
  options: ServerOptions,
  use: (port: string) => Promise<void>,
  isSecure = false,
): Promise<unknown[]> {
  const errors: unknown[] = []
  const made = Server.of(TestService, testService).options({ onError: (error) => errors.push(error), ...options })
  const server = await (isSecure ? made.tls(serverTls) : made).listen('127.0.0.1:0')
  try {
    await use(server.address.replace(/.*:/, ''))
  } finally {
    await server.close({ grace: '1s' })
  }
  return errors
}

/** A client takes a while to start: several at once, in groups that two CPUs can feed. */
async function inGroups<T>(all: readonly T[], each: (one: T) => Promise<void>): Promise<void> {
  for (let first = 0; first < all.length; first += 4) await Promise.all(all.slice(first, first + 4).map(each))
}

for (const channel of channels) {
  test(`grpc-go's interoperability tests, ${channel.name}`, async (t) => {
    const errors = await serving(
      {},
      (port) =>
        inGroups([...caseNames, 'rpc_soak', 'channel_soak'], async (name) => {
          const { code, output } = await goClient(port, name, channel)
          t.is(code, 0, `${name}: ${output}`)
        }),
      channel.isSecure,
    )
    t.deepEqual(errors, [])
  })
}

for (const sent of ['gzip', 'zstd'] as const) {
  for (const compression of [undefined, sent]) {
    test(`grpc-go with ${sent}, our answers ${compression ?? 'not compressed'}`, async (t) => {
      const errors = await serving(compression === undefined ? {} : { compression }, (port) =>
        inGroups(compressedCases, async (name) => {
          const { code, output } = await compressedGoClient(port, name, sent)
          t.is(code, 0, `${name}: ${output}`)
        }),
      )
      t.deepEqual(errors, [])
    })
  }
}

for (const channel of channels) {
  test(`grpc-js's client, ${channel.name}`, async (t) => {
    const errors = await serving(
      {},
      (port) =>
        inGroups(caseNames, async (name) => {
          const { code, output } = await jsClient(port, name, ...channel.jsClient)
          t.is(code, 0, `${name}: ${output}`)
        }),
      channel.isSecure,
    )
    t.deepEqual(errors, [])
  })
}

for (const compression of ['gzip', 'deflate'] as const) {
  test(`grpc-js's client with ${compression}, answered in the same way`, async (t) => {
    const errors = await serving({ compression }, (port) =>
      inGroups(compressedCases, async (name) => {
        const { code, output } = await jsClient(port, name, '--compression', compression)
        t.is(code, 0, `${name}: ${output}`)
      }),
    )
    t.deepEqual(errors, [])
  })
}
