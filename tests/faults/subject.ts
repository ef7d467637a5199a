/** The server and clients that things are done to. */
import type { ExecutionContext } from 'ava'
import { Client, Server, type Handlers, type ServerHandle, type ServerOptions } from 'volo-js/thrift'
import { everything } from '../interop/handlers.js'
import { Everything } from '../volo-gen/index.js'
import { until } from './until.js'

export interface Subject {
  readonly server: ServerHandle
  /** Texts of the events it told of. */
  readonly events: string[]
  readonly errors: unknown[]
  /**
   * Checks that a client which was connected before still is, and is answered; that a new one is; and that every call is accounted for.
   */
  readonly unharmed: () => Promise<void>
}

/** A server of Everything with a bystander: a client that must not notice what is done to other connections. */
export async function serve(
  t: ExecutionContext,
  handlers: Partial<Handlers<typeof Everything>> = {},
  options: ServerOptions = {},
  address = '127.0.0.1:0',
): Promise<Subject> {
  const events: string[] = []
  const errors: unknown[] = []
  const server = await Server.of(Everything, { ...everything(), ...handlers })
    .options({ onError: (error) => errors.push(error), onEvent: ({ text }) => events.push(text), ...options })
    .listen(address)
  t.teardown(() => server.close({ grace: 0 }))
  const bystander = clientOf(t, server.address)
  t.is(await bystander.ping('before'), 'before')
  const unharmed = async (): Promise<void> => {
    await until('nothing is in flight and only the bystander is connected', () => {
      const { inFlight, connections } = server.stats()
      return inFlight === 0 && connections === 1
    })
    const { accepted } = server.stats()
    t.is(await bystander.ping('after'), 'after')
    t.is(server.stats().accepted, accepted, 'the bystander has kept its connection')
    const other = clientOf(t, server.address)
    t.is(await other.ping('new'), 'new')
    await Client.close(other)
    accounted(t, server)
  }
  return { server, events, errors, unharmed }
}

/** Every call that came was answered, or its peer was gone. Not for oneway calls, which have no reply. */
export function accounted(t: ExecutionContext, server: ServerHandle): void {
  const { calls, replies, exceptions, abandoned, inFlight } = server.stats()
  t.is(calls, replies + exceptions + abandoned + inFlight, JSON.stringify(server.stats()))
}

/** A client of Everything that is closed with the test. */
export function clientOf(
  t: ExecutionContext,
  address: string,
  more: (builder: ReturnType<typeof builderOf>) => ReturnType<typeof builderOf> = (builder) => builder,
): Client<typeof Everything> {
  const client = more(builderOf(address)).build()
  t.teardown(() => Client.close(client, { grace: 0 }))
  return client
}

function builderOf(address: string) {
  return Client.of(Everything, 'everything').address(address)
}
