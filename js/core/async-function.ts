/** Marks what a layer's function is, where the service it makes hides it. */
export const runsAsync: unique symbol = Symbol('volo-js.runs-async')

/** True for `async` functions, which give a promise whatever they do. */
export function isAsyncFunction(value: unknown): boolean {
  return Object.prototype.toString.call(value) === '[object AsyncFunction]'
}
