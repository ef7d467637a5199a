import { isAsyncFunction, runsAsync } from './async-function.js'
import type { Context } from './context.js'
import { FunctionService, type Layer } from './layer.js'
import type { Service } from './service.js'

/** One stage of a chain, as `explain()` shows it. */
export interface Stage {
  readonly name: string
  /** `sync`: answers at once if what it wraps does. `async`: always makes a promise. */
  readonly runs: 'sync' | 'async'
}

/** A service wrapped in layers. */
export interface Chain<Cx, Req, Res> {
  readonly service: Service<Cx, Req, Res>
  /** Outermost first. */
  readonly stages: readonly Stage[]
}

/** Wraps a service in layers; the first of them is the outermost: it sees the request first and the answer last. */
export function compose<Cx extends Context, Req, Res>(
  layers: readonly Layer<Cx>[],
  innermost: Service<Cx, Req, Res>,
): Chain<Cx, Req, Res> {
  let service = innermost
  const stages: Stage[] = []
  for (let i = layers.length - 1; i >= 0; i -= 1) {
    const layer = layers[i] as Layer<Cx> & { readonly [runsAsync]?: boolean }
    service = layer.layer(service)
    const asynchronous = layer[runsAsync] ?? (!(service instanceof FunctionService) && isAsyncFunction(service.call))
    stages.unshift({ name: nameOf(layer), runs: asynchronous ? 'async' : 'sync' })
  }
  return { service, stages }
}

function nameOf(layer: { readonly name?: string }): string {
  const name: unknown = layer.name ?? (layer as object).constructor.name
  return typeof name === 'string' && name !== '' && name !== 'Object' ? name : 'layer'
}
