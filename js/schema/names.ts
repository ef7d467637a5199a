/** Names of the IDL in JavaScript. */

/** Properties every object inherits: a field of such a name counts only if it is the object's own. */
const inherited = new Set(Object.getOwnPropertyNames(Object.prototype))

/** True if reading a field of this name from an object that lacks it would find something every object inherits. */
export function isInherited(name: string): boolean {
  return inherited.has(name)
}

/** True if reading a field of this name from an exception that lacks it would find something Error gives it. */
export function isInheritedByErrors(name: string): boolean {
  return inherited.has(name) || name === 'message' || name === 'name'
}

/**
 * The JavaScript name of a method: `GetItem`, `get_item` and `GET_ITEM` are `getItem`.
 *
 * Underscores part words; a word without a lower-case letter is taken for shouting. The same rule decides in
 * `crates/schema` whether two methods clash.
 */
export function camelCase(name: string): string {
  let out = ''
  for (const word of name.split('_')) {
    if (word === '') continue
    const rest = word.slice(1)
    out += out === '' ? word[0].toLowerCase() : word[0].toUpperCase()
    out += /[a-z]/.test(word) ? rest : rest.toLowerCase()
  }
  return out === '' ? name : out
}

/** The JavaScript name of a Protobuf field, which is its name in JSON as a rule: without `_`, the letter behind each raised. */
export function protoCamelCase(name: string): string {
  const camel = name.replace(/_+(.?)/g, (_, letter: string) => letter.toUpperCase())
  return camel === '' ? name : camel
}
