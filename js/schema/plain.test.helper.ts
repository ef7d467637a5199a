/** Messages in a form that can be compared. */

/** Exceptions as objects of their own fields, for their stacks differ. */
export function plain(value: unknown): unknown {
  if (value instanceof Error) {
    const { stack: _, ...fields } = value as unknown as Record<string, unknown>
    const entries = Object.entries(fields)
    const message = Object.hasOwn(value, 'message') ? [['message', value.message] as [string, unknown]] : []
    return Object.fromEntries([...entries, ...message].map(([key, field]) => [key, plain(field)]))
  }
  if (Array.isArray(value)) return value.map(plain)
  if (value instanceof Set) return new Set([...value].map(plain))
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [plain(key), plain(item)]))
  if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]))
  }
  return value
}

/** Exceptions leave out absent fields of names that Error gives them. */
export function withoutAbsent(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutAbsent)
  if (value instanceof Set) return new Set([...value].map(withoutAbsent))
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [withoutAbsent(key), withoutAbsent(item)]))
  if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined)
    return Object.fromEntries(entries.map(([key, item]) => [key, withoutAbsent(item)]))
  }
  return value
}
