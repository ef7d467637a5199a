/**
 * A text that two messages share if and only if they are the same: fields in any order, absent ones left out, entries of maps and sets in any
 * order, keys compared by what they hold. NaN is itself, -0 is not 0, bytes are bytes whatever array they lie in.
 *
 * AVA's `deepEqual` would not do: to it, keys that are objects are the same only if they are one object.
 */
export function canonical(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value)
    case 'bigint':
      return `${value}n`
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value)
    case 'object':
      return value === null ? 'null' : object(value)
    default:
      return String(value)
  }
}

function object(value: object): string {
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`
  if (Array.isArray(value)) return `[${value.map(canonical).join(', ')}]`
  if (value instanceof Set) return `Set {${[...value].map(canonical).sort().join(', ')}}`
  if (value instanceof Map) {
    const entries = [...value].map(([key, its]) => `${canonical(key)} => ${canonical(its)}`)
    return `Map {${entries.sort().join(', ')}}`
  }
  // Own properties only: a key may be called `__proto__`.
  const fields = Object.entries(value).filter(([, its]) => its !== undefined)
  return `{${fields
    .map(([name, its]) => `${JSON.stringify(name)}: ${canonical(its)}`)
    .sort()
    .join(', ')}}`
}

/** Where two messages part; undefined if they are the same. Short enough to print, whatever their size. */
export function difference(got: unknown, expected: unknown): string | undefined {
  const one = canonical(got)
  const other = canonical(expected)
  if (one === other) return undefined
  let at = 0
  while (one[at] === other[at]) at += 1
  const around = (text: string): string => text.slice(Math.max(0, at - 60), at + 60)
  return `got …${around(one)}…, expected …${around(other)}… (at ${at} of ${one.length} and ${other.length})`
}
