/** The layers that are measured: each reads the context and does a little, as layers do. */
import { built } from '../../scripts/lib/built.mjs'

const { layerFn } = await built('dist/index.js')

/** What the layers count, and what the last call gave: effects that keep the compiler from leaving calls out. */
export const counter = { calls: 0, last: /** @type {unknown} */ (undefined) }

/** A synchronous layer: one look at the context, one count. */
export function countingLayer(/** @type {number} */ index) {
  return layerFn(
    `count${index}`,
    /**
     * @param {{ method: { name: string }, deadline: number | undefined }} cx
     * @param {unknown} req
     * @param {(cx: unknown, req: unknown) => unknown} next
     */
    (cx, req, next) => {
      if (cx.method.name.length > 0 && cx.deadline === undefined) counter.calls += 1
      return next(cx, req)
    },
  )
}

/** An asynchronous layer: waits for the answer, counts it. */
export function waitingLayer() {
  return layerFn(
    'wait',
    /**
     * @param {unknown} cx
     * @param {unknown} req
     * @param {(cx: unknown, req: unknown) => unknown} next
     */
    async (cx, req, next) => {
      const answer = await next(cx, req)
      counter.calls += 1
      return answer
    },
  )
}
