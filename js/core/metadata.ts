import { VoloError } from './errors.js'

/**
 * Named values that travel beside a request or an answer.
 *
 * Names are compared without regard to case and kept in lower case. A name may have several values. Thrift's framed and
 * buffered transports have no place for metadata: there it is empty. In gRPC a name that ends in `-bin` has bytes as its value:
 * {@link getBinary} and {@link setBinary}; their text is base64.
 */
export class Metadata implements Iterable<[name: string, value: string]> {
  #values: Map<string, string[]> | undefined

  /** @param init Names and values to begin with. */
  constructor(init?: Readonly<Record<string, string | readonly string[]>> | Iterable<readonly [string, string]>) {
    if (init === undefined) return
    if (Symbol.iterator in init) {
      for (const [name, value] of init) this.append(name, value)
      return
    }
    for (const [name, value] of Object.entries(init)) {
      for (const one of typeof value === 'string' ? [value] : value) this.append(name, one)
    }
  }

  /** The first value of a name. */
  get(name: string): string | undefined {
    return this.#values?.get(name.toLowerCase())?.[0]
  }

  /** All values of a name, in the order they were added. */
  getAll(name: string): readonly string[] {
    return this.#values?.get(name.toLowerCase()) ?? []
  }

  /** True if the name has a value. */
  has(name: string): boolean {
    return this.#values?.has(name.toLowerCase()) ?? false
  }

  /** Replaces every value of a name. */
  set(name: string, value: string): void {
    this.#map().set(name.toLowerCase(), [value])
  }

  /** Adds a value to a name. */
  append(name: string, value: string): void {
    const map = this.#map()
    const key = name.toLowerCase()
    const values = map.get(key)
    if (values === undefined) map.set(key, [value])
    else values.push(value)
  }

  /**
   * The first value of a name that ends in `-bin`, as bytes. Base64 of either alphabet is read, with or without padding.
   */
  getBinary(name: string): Uint8Array | undefined {
    const text = this.get(name)
    return text === undefined ? undefined : fromBase64(text)
  }

  /** All values of a name that ends in `-bin`. */
  getAllBinary(name: string): Uint8Array[] {
    return this.getAll(name).map(fromBase64)
  }

  /** Replaces every value of a name, which has to end in `-bin`. */
  setBinary(name: string, value: Uint8Array): void {
    this.set(binaryName(name), toBase64(value))
  }

  /** Adds a value to a name, which has to end in `-bin`. */
  appendBinary(name: string, value: Uint8Array): void {
    this.append(binaryName(name), toBase64(value))
  }

  /** Removes a name. */
  delete(name: string): void {
    this.#values?.delete(name.toLowerCase())
  }

  /** Number of names. */
  get size(): number {
    return this.#values?.size ?? 0
  }

  /** Every name with every value; a name with two values comes twice. */
  *[Symbol.iterator](): Generator<[name: string, value: string]> {
    if (this.#values === undefined) return
    for (const [name, values] of this.#values) for (const value of values) yield [name, value]
  }

  #map(): Map<string, string[]> {
    return (this.#values ??= new Map<string, string[]>())
  }
}

function binaryName(name: string): string {
  if (name.toLowerCase().endsWith('-bin')) return name
  throw new VoloError('INVALID_ARGUMENT', `metadata '${name}' cannot have bytes as its value; end its name in '-bin'`)
}

function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'))
}

/** Without padding, as gRPC asks of senders. */
function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64').replace(/=+$/, '')
}
