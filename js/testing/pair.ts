import { Client, type ClientBuilder } from '../core/client.js'
import type { Clock } from '../core/clock.js'
import type { ContextOf } from '../core/context.js'
import type { ServiceDescriptor } from '../core/descriptor.js'
import type { Handlers } from '../core/handlers.js'
import { Server } from '../core/server.js'
import type { ServerHandle } from '../core/server-handle.js'
import type { ServerOptions } from '../core/server-options.js'

/** Options of {@link pair}. */
export interface PairOptions<S extends ServiceDescriptor> {
  /** Adds to the server: layers, options. */
  readonly server?: (server: Server<ContextOf<S['protocol']>>) => Server<ContextOf<S['protocol']>>
  /** Adds to the client: layers, options. */
  readonly client?: (client: ClientBuilder<S, ContextOf<S['protocol']>>) => ClientBuilder<S, ContextOf<S['protocol']>>
  /** Clock of both sides. Default: the machine's. */
  readonly clock?: Clock
  /** Told of errors of handlers. Default: kept in {@link Pair.errors}, so that tests print nothing. */
  readonly onError?: ServerOptions['onError']
}

/** A client and the server it calls. */
export interface Pair<S extends ServiceDescriptor> extends AsyncDisposable {
  readonly client: Client<S>
  readonly server: ServerHandle
  /** What handlers threw that was no answer. */
  readonly errors: unknown[]
  /** Closes both; calls in flight are given 100 ms. */
  close(): Promise<void>
}

let made = 0

/**
 * A client and a server in this process, without a socket. Requests and answers take the same way as over one: tape, codec, framing,
 * connection.
 *
 * @example
 * await using it = await pair(ItemService, impl)
 * t.like(await it.client.getItem({ id: 1n }), { item: { id: 1n } })
 */
export async function pair<S extends ServiceDescriptor>(
  service: S,
  impl: Handlers<S>,
  options: PairOptions<S> = {},
): Promise<Pair<S>> {
  made += 1
  const address = `memory:pair-${made}`
  const errors: unknown[] = []
  const clock = options.clock === undefined ? {} : { clock: options.clock }
  const server = Server.of(service, impl).options({
    ...clock,
    onError: options.onError ?? ((error) => errors.push(error)),
  })
  const handle = await (options.server?.(server) ?? server).listen(address)
  const builder = Client.of(service, service.name).address(address).options(clock)
  const client = (options.client?.(builder) ?? builder).build()
  const close = async (): Promise<void> => {
    await Client.close(client, { grace: '100ms' })
    await handle.close({ grace: '100ms' })
  }
  return { client, server: handle, errors, close, [Symbol.asyncDispose]: close }
}
