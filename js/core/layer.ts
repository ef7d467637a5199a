import { isAsyncFunction, runsAsync } from './async-function.js'
import type { Context } from './context.js'
import type { Answer, Service } from './service.js'

/**
 * Wraps a service in another one: what every call should pass through (log, timeout, authentication).
 *
 * A layer fits every method, so it is generic in its messages, and it names the least context it needs: a
 * `Layer<ThriftContext>` does not fit a server whose calls have less. `layer` runs once for each server or client, so what it
 * keeps is shared by all calls.
 */
export interface Layer<in Base extends Context = Context> {
  /** Shown by `explain()`. */
  readonly name?: string
  layer<Cx extends Base, Req, Res>(inner: Service<Cx, Req, Res>): Service<Cx, Req, Res>
}

/** The body of a layer: look at the request, call `next`, look at the answer. */
export type LayerFunction<in Base extends Context> = <Cx extends Base, Req, Res>(
  cx: Cx,
  req: Req,
  next: (cx: Cx, req: Req) => Answer<Res>,
) => Answer<Res>

/**
 * A layer from one function.
 *
 * A function that is not `async` and returns what `next` returns keeps a synchronous chain synchronous.
 *
 * @param name Shown by `explain()`.
 * @example
 * const audit = layerFn('audit', (cx, req, next) => {
 *   count(cx.method.name)
 *   return next(cx, req)
 * })
 */
export function layerFn<Base extends Context = Context>(name: string, call: LayerFunction<Base>): Layer<Base> {
  const made: Layer<Base> & { readonly [runsAsync]: boolean } = {
    name,
    [runsAsync]: isAsyncFunction(call),
    layer<Cx extends Base, Req, Res>(inner: Service<Cx, Req, Res>): Service<Cx, Req, Res> {
      const next = callOf(inner)
      return new FunctionService((cx: Cx, req: Req) => call(cx, req, next))
    },
  }
  return made
}

/** A service that is one function without `this`. */
export class FunctionService<in Cx, in Req, out Res> implements Service<Cx, Req, Res> {
  readonly call: (cx: Cx, req: Req) => Answer<Res>

  constructor(call: (cx: Cx, req: Req) => Answer<Res>) {
    this.call = call
  }
}

/** A service's call as a function of its own; foreign services may be class instances that need their `this`. */
export function callOf<Cx, Req, Res>(service: Service<Cx, Req, Res>): (cx: Cx, req: Req) => Answer<Res> {
  return service instanceof FunctionService ? service.call : (cx, req) => service.call(cx, req)
}
