/** Clients that were dropped without being closed. */
import type { Core } from './addon.js'

/** What a client has made in the core. It must not lead back to the client, or that would never be collected. */
export interface Remains {
  readonly core: Core
  /** Id of the client in the core; undefined while there is none. */
  owner: number | undefined
}

const registry = new FinalizationRegistry<Remains>(({ core, owner }) => {
  // Nothing is in flight: a call would have kept its client.
  if (owner !== undefined) core.closeClient(owner, 0)
})

/** Once `client` has been collected, its connections are closed. */
export function closeWhenDropped(client: WeakKey, remains: Remains): void {
  registry.register(client, remains)
}
