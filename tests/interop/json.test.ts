/** Whoever speaks JSON to this package sends the same bytes, both ways, as those who speak types. */
import { connect, createServer, type AddressInfo, type Server as Listener, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import fc from 'fast-check'
import { parseThrift } from 'volo-js/build'
import { Client, json, jsonMethod, methodsOf, Server, type ServiceDescriptor } from 'volo-js/thrift'
import { Everything } from '../volo-gen/index.js'
import { Arbitraries } from './arbitraries.js'
import { difference } from './canonical.js'
import { everything } from './handlers.js'
import type { Caller } from './sweep.js'

const CALLS = 300

const schema = parseThrift([fileURLToPath(new URL('../fixtures/everything.thrift', import.meta.url))])
const arbitraries = new Arbitraries(schema)
const text = { text: true, i64: 'number' } as const

/** Methods that give back their argument, and values for it. Keys has a map that JSON has no form for. */
const echoes = [...methodsOf(Everything)]
  .filter(({ wireName }) => /^(Echo(?!Scalars|Keys)|Ping$|toString$)/.test(wireName))
  .map(({ name, wireName }) => {
    const { args } = schema.methods[Everything.methods[name as 'ping'].index]
    const [argument] = schema.structs[args].fields
    return fc.tuple(fc.constant([name, wireName] as const), arbitraries.of(argument.type))
  })

/** Passes connections on to a server and keeps what went through. */
class Tap implements AsyncDisposable {
  readonly #listener: Listener
  readonly #sockets = new Set<Socket>()
  #requests: Buffer[] = []
  #replies: Buffer[] = []

  private constructor(port: number) {
    this.#listener = createServer((client) => {
      const server = connect(port, '127.0.0.1')
      for (const socket of [client, server]) {
        this.#sockets.add(socket)
        socket.on('error', () => socket.destroy())
      }
      client.on('data', (bytes) => this.#requests.push(bytes)).pipe(server)
      server.on('data', (bytes) => this.#replies.push(bytes)).pipe(client)
    })
  }

  static async to(address: string): Promise<Tap> {
    const tap = new Tap(Number(address.split(':').at(-1)))
    await new Promise<void>((resolve) => tap.#listener.listen(0, '127.0.0.1', resolve))
    return tap
  }

  get address(): string {
    return `127.0.0.1:${(this.#listener.address() as AddressInfo).port}`
  }

  /** What went through since the last time, as hexadecimal digits. */
  take(): { readonly requests: string; readonly replies: string } {
    const taken = {
      requests: Buffer.concat(this.#requests).toString('hex'),
      replies: Buffer.concat(this.#replies).toString('hex'),
    }
    this.#requests = []
    this.#replies = []
    return taken
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#listener.close(resolve))
  }
}

test('JSON and types send the same bytes, both ways', async (t) => {
  const service: ServiceDescriptor = json(Everything, text)
  const echo = (request: unknown): unknown => request
  const handlers = Object.fromEntries(Object.keys(service.methods).map((name) => [name, echo]))
  await using typedServer = await Server.of(Everything, everything()).listen('127.0.0.1:0')
  await using jsonServer = await Server.of(service, handlers).listen('127.0.0.1:0')
  await using typedTap = await Tap.to(typedServer.address)
  await using jsonTap = await Tap.to(jsonServer.address)
  const callerOf = (of: ServiceDescriptor, { address }: Tap): Caller & AsyncDisposable =>
    Client.of(of, 'everything').address(address).pool({ size: 1 }).build()
  await using typed = callerOf(Everything, typedTap)
  await using other = callerOf(service, jsonTap)
  const seen = new Set<string>()
  await fc.assert(
    fc.asyncProperty(fc.oneof(...echoes), async ([[name, wireName], value]) => {
      const codec = jsonMethod(Everything, name as 'ping', text)
      const request = codec.request.toJson(value as string)
      const answer = await other[name](request)
      const wrong = difference(codec.response.fromJson(answer as string), await typed[name](value))
      if (wrong !== undefined) throw new Error(`${wireName}: ${wrong}`)
      const [one, two] = [jsonTap.take(), typedTap.take()]
      if (!one.requests.includes(Buffer.from(wireName).toString('hex'))) throw new Error(`${wireName} went elsewhere`)
      if (one.requests !== two.requests) throw new Error(`request of ${wireName}: ${request}`)
      if (one.replies !== two.replies) throw new Error(`reply of ${wireName}: ${request}`)
      seen.add(wireName)
    }),
    { numRuns: CALLS, endOnFailure: true },
  )
  t.is(seen.size, echoes.length)
})
