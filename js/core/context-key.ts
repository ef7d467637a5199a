/**
 * Names a value that layers and handlers share through the context of a call. Keys are compared by identity, so two packages
 * never clash.
 *
 * @example
 * const User = new ContextKey<{ id: bigint } | undefined>('user', { default: undefined })
 * cx.set(User, { id: 7n })
 * cx.get(User)?.id
 */
export class ContextKey<T> {
  /** Shown in errors. */
  readonly name: string
  /** True if {@link Context.get} has something to give before anything was set. */
  readonly hasDefault: boolean
  readonly default: T | undefined

  constructor(name: string, options?: { readonly default: T }) {
    this.name = name
    this.hasDefault = options !== undefined
    this.default = options?.default
  }
}
