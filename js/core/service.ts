/** What a service answers: the value itself, or a promise of it. */
export type Answer<Res> = Res | PromiseLike<Res>

/**
 * Takes a request, gives an answer: a method's handler, a client's connection, and every stage between.
 *
 * The context is a parameter, never a global. An answer may be given at once; where all of a chain does so, no promise is made.
 */
export interface Service<in Cx, in Req, out Res> {
  readonly call: (cx: Cx, req: Req) => Answer<Res>
}

/** Any service, where the messages do not matter. */
export type AnyService = Service<never, never, unknown>

/** True for anything with a method `then`. */
export function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}

/** A promise that rejects with whatever was thrown; signals and handlers may use values that are no Error. */
export function rejected(reason: unknown): Promise<never> {
  // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- see above
  return Promise.reject(reason)
}
