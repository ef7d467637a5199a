/**
 * Keeps what one call puts into an AsyncLocalStorage from the other calls of its batch.
 *
 * A batch is delivered in one callback, so all its messages would be handled in one asynchronous context, and what the code for one of them
 * enters (`storage.enterWith`) would be seen by the next: one caller's identity in another's call. That code is a handler, and as well the
 * first step of a generator, a tap, a hook, or a listener of an aborted call. An AsyncResource for every message prevents that at 150 ns each;
 * what follows costs nothing until something is really entered.
 */
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'

/** Handles the message of so many slots at `p`. */
type HandleMessage = (p: number, size: number) => void

/** Handles messages so that none sees what was entered for another. */
export interface CallIsolation {
  /** The resource of the core's callback. */
  readonly resource: object
  run(handle: HandleMessage, p: number, size: number): void
}

/**
 * Where storages keep their values as properties of the current resource (Node 20 and 22): the callback's resource notices when it is
 * given one, and is cleared before the next message. Promises the call has made have copied its values by then.
 */
class WatchedResource implements CallIsolation {
  readonly resource: object
  private readonly entered: PropertyKey[] = []
  private readonly properties: Record<PropertyKey, unknown> = {}

  constructor() {
    const { entered } = this
    this.resource = new Proxy(this.properties, {
      set(properties, key, value) {
        properties[key as string] = value
        entered.push(key)
        return true
      },
    })
  }

  run(handle: HandleMessage, p: number, size: number): void {
    try {
      handle(p, size)
    } finally {
      if (this.entered.length > 0) this.clear()
    }
  }

  private clear(): void {
    for (const key of this.entered) delete this.properties[key]
    this.entered.length = 0
  }
}

/** Where storages keep their values in a frame that follows the control flow (Node 24): every message begins in the same empty one. */
class Frame implements CallIsolation {
  readonly resource = {}
  private readonly enter = new AsyncLocalStorage().exit(() => AsyncLocalStorage.snapshot())

  run(handle: HandleMessage, p: number, size: number): void {
    this.enter(handle, p, size)
  }
}

/** Where neither is known to hold. */
class ResourcePerMessage implements CallIsolation {
  readonly resource = {}

  run(handle: HandleMessage, p: number, size: number): void {
    new AsyncResource('VoloMessage', { requireManualDestroy: true }).runInAsyncScope(handle, undefined, p, size)
  }
}

/** The cheapest that this Node allows. */
export function callIsolation(): CallIsolation {
  // Storages on resources switch a hook on at their first use; those on frames have nothing to switch.
  const prototype = AsyncLocalStorage.prototype as { readonly _enable?: unknown; readonly _propagate?: unknown }
  if (typeof prototype._enable === 'function' && typeof prototype._propagate === 'function')
    return new WatchedResource()
  if (prototype._enable === undefined && typeof AsyncLocalStorage.snapshot === 'function') return new Frame()
  return new ResourcePerMessage()
}
