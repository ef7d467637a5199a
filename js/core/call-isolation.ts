/**
 * Keeps what one call puts into an AsyncLocalStorage from the other calls of its batch.
 *
 * A batch is delivered in one callback, so all its handlers would begin in one asynchronous context, and what one of them enters
 * (`storage.enterWith`) would be seen by the next: one caller's identity in another's call. An AsyncResource for every call prevents that
 * at 150 ns a call; what follows costs nothing until a handler really enters something.
 */
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'

import type { CallContext } from './call-context.js'
import type { Answer } from './service.js'

type Call = (cx: CallContext, request: unknown) => Answer<unknown>

/** Runs calls so that none sees what another entered. */
export interface CallIsolation {
  /** The resource of the core's callback. */
  readonly resource: object
  run(call: Call, cx: CallContext, request: unknown): Answer<unknown>
}

/**
 * Where storages keep their values as properties of the current resource (Node 20 and 22): the callback's resource notices when it is
 * given one, and is cleared before the next call. Promises the call has made have copied its values by then.
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

  run(call: Call, cx: CallContext, request: unknown): Answer<unknown> {
    try {
      return call(cx, request)
    } finally {
      if (this.entered.length > 0) this.clear()
    }
  }

  private clear(): void {
    for (const key of this.entered) delete this.properties[key]
    this.entered.length = 0
  }
}

/** Where storages keep their values in a frame that follows the control flow (Node 24): every call begins in the same empty one. */
class Frame implements CallIsolation {
  readonly resource = {}
  private readonly enter = new AsyncLocalStorage().exit(() => AsyncLocalStorage.snapshot())

  run(call: Call, cx: CallContext, request: unknown): Answer<unknown> {
    return this.enter(call, cx, request)
  }
}

/** Where neither is known to hold. */
class ResourcePerCall implements CallIsolation {
  readonly resource = {}

  run(call: Call, cx: CallContext, request: unknown): Answer<unknown> {
    return new AsyncResource('VoloCall', { requireManualDestroy: true }).runInAsyncScope(call, undefined, cx, request)
  }
}

/** The cheapest that this Node allows. */
export function callIsolation(): CallIsolation {
  // Storages on resources switch a hook on at their first use; those on frames have nothing to switch.
  const prototype = AsyncLocalStorage.prototype as { readonly _enable?: unknown; readonly _propagate?: unknown }
  if (typeof prototype._enable === 'function' && typeof prototype._propagate === 'function')
    return new WatchedResource()
  if (prototype._enable === undefined && typeof AsyncLocalStorage.snapshot === 'function') return new Frame()
  return new ResourcePerCall()
}
