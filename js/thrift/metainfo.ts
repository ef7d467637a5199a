import type { Headers } from './header-text.js'
import { headerText } from './header-text.js'

/** Values by name; names keep their case. */
export class MetaValues implements Iterable<[name: string, value: string]> {
  #values: Map<string, string> | undefined

  constructor(init?: Readonly<Record<string, string>> | Iterable<readonly [string, string]>) {
    if (init === undefined) return
    for (const [name, value] of Symbol.iterator in init ? init : Object.entries(init)) this.set(name, value)
  }

  get(name: string): string | undefined {
    return this.#values?.get(name)
  }

  set(name: string, value: string): void {
    this.#values ??= new Map()
    this.#values.set(name, value)
  }

  has(name: string): boolean {
    return this.#values?.has(name) ?? false
  }

  delete(name: string): void {
    this.#values?.delete(name)
  }

  /** Number of names. */
  get size(): number {
    return this.#values?.size ?? 0
  }

  [Symbol.iterator](): Iterator<[name: string, value: string]> {
    return (this.#values ?? new Map<string, string>())[Symbol.iterator]()
  }
}

/** What a {@link Metainfo} begins with. */
export interface MetainfoInit {
  readonly persistent?: Readonly<Record<string, string>> | Iterable<readonly [string, string]>
  readonly transient?: Readonly<Record<string, string>> | Iterable<readonly [string, string]>
}

/** How names are told apart on the wire (github.com/bytedance/gopkg, cloud/metainfo). */
const PERSISTENT = 'RPC_PERSIST_'
const TRANSIENT = 'RPC_TRANSIT_'
const BACKWARD = 'RPC_BACKWARD_'

/**
 * Values that travel with a call over TTHeader, as metainfo of Kitex and Volo does.
 *
 * @example
 * const metainfo = new Metainfo({ persistent: { tenant: 'blue' } })
 * await client.getItem({ id: 1n }, { metainfo })
 * metainfo.backward.get('cache')
 */
export class Metainfo {
  /** Go to the callee, and on to whom it calls (with `{ parent: cx }`), all the way. */
  readonly persistent: MetaValues
  /** Go to the callee, and end there. */
  readonly transient: MetaValues
  /** Come back with the answer. */
  readonly backward = new MetaValues()

  constructor(init: MetainfoInit = {}) {
    this.persistent = new MetaValues(init.persistent)
    this.transient = new MetaValues(init.transient)
  }

  /** @internal What goes with a request. */
  requestText(): string {
    let text = ''
    for (const [name, value] of this.persistent) text += headerText(PERSISTENT + name, value)
    for (const [name, value] of this.transient) text += headerText(TRANSIENT + name, value)
    return text
  }

  /**
   * @internal What goes with an answer.
   * @param bare the peer takes names as they are, as Kitex does; Volo wants a prefix.
   */
  answerText(bare: boolean): string {
    let text = ''
    for (const [name, value] of this.backward) text += headerText(bare ? name : BACKWARD + name, value)
    return text
  }

  /** @internal Takes what is metainfo out of headers that came; gives the rest. */
  take(headers: Headers): Headers {
    return headers.filter(([name, value]) => {
      if (name.startsWith(PERSISTENT)) this.persistent.set(name.slice(PERSISTENT.length), value)
      else if (name.startsWith(TRANSIENT)) this.transient.set(name.slice(TRANSIENT.length), value)
      else if (name.startsWith(BACKWARD)) this.backward.set(name.slice(BACKWARD.length), value)
      else return true
      return false
    })
  }
}
