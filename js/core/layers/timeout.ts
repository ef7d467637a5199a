import { ownContext } from '../call-context.js'
import type { Context } from '../context.js'
import { milliseconds, type Duration } from '../duration.js'
import { callOf, FunctionService, type Layer } from '../layer.js'
import { Scope } from '../scope.js'
import type { Service } from '../service.js'
import { within } from '../within.js'

/**
 * Ends what it wraps after a time: the caller gets DEADLINE_EXCEEDED, `cx.signal` is aborted, a call in flight is given up.
 *
 * `cx.deadline` inside is the earlier of this and the deadline outside. An answer given at once arms no timer.
 *
 * @throws VoloError INVALID_ARGUMENT if `limit` is no duration.
 * @example
 * Client.of(ItemService, 'shop.item').layerOuter(timeout('3s'))
 */
export function timeout(limit: Duration): Layer {
  const ms = milliseconds(limit, 'timeout')
  return {
    name: `timeout(${typeof limit === 'number' ? `${limit}ms` : limit})`,
    layer<Cx extends Context, Req, Res>(inner: Service<Cx, Req, Res>): Service<Cx, Req, Res> {
      const call = callOf(inner)
      return new FunctionService((cx: Cx, req: Req) => {
        const own = ownContext(cx)
        const now = own.origin.clock.now()
        const scope = new Scope(own.openScope(), now + ms)
        // Every context is one of ours, whatever more its protocol promises of it.
        const inside = own.fork(scope) as unknown as Cx
        return within(own, scope, (scope.deadline ?? now + ms) - now, call, inside, req)
      })
    },
  }
}
