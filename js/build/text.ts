/** Text of generated code: quoting, comments, indentation. */

/** A string literal in single quotes. */
export function quote(text: string): string {
  let out = "'"
  for (let index = 0; index < text.length; index++) {
    out += escapeUnit(text, index)
  }
  return `${out}'`
}

function escapeUnit(text: string, index: number): string {
  const unit = text.charCodeAt(index)
  switch (unit) {
    case 0x27:
      return "\\'"
    case 0x5c:
      return '\\\\'
    case 0x0a:
      return '\\n'
    case 0x0d:
      return '\\r'
    case 0x09:
      return '\\t'
  }
  // Control characters, line separators and lone surrogates would not survive in a file.
  const invisible = unit < 0x20 || unit === 0x7f || unit === 0x2028 || unit === 0x2029 || unit === 0xfeff
  return invisible || isLone(text, index) ? `\\u${unit.toString(16).padStart(4, '0')}` : text[index]
}

function isLone(text: string, index: number): boolean {
  const unit = text.charCodeAt(index)
  if (unit < 0xd800 || unit > 0xdfff) return false
  if (unit < 0xdc00) return !((text.charCodeAt(index + 1) & 0xfc00) === 0xdc00)
  return !((text.charCodeAt(index - 1) & 0xfc00) === 0xd800)
}

const identifier = /^[A-Za-z_$][A-Za-z0-9_$]*$/

/** A key of an object literal; `__proto__` is computed, for otherwise it would set the prototype. */
export function literalKey(name: string): string {
  if (name === '__proto__') return "['__proto__']"
  return identifier.test(name) ? name : quote(name)
}

/** A property access. */
export function access(object: string, name: string): string {
  return identifier.test(name) ? `${object}.${name}` : `${object}[${quote(name)}]`
}

/** Names that read badly, or not at all, as bare members of an interface or a class. */
const quotedMembers = new Set([
  'constructor',
  '__proto__',
  'prototype',
  'new',
  'get',
  'set',
  'readonly',
  'static',
  'declare',
])

/** A member's name in a declaration. */
export function memberName(name: string): string {
  return quotedMembers.has(name) || !identifier.test(name) ? quote(name) : name
}

/** A doc comment; nothing for no text. */
export function docComment(text: string | undefined, indent = ''): string[] {
  const lines = (text ?? '').split(/\r\n|[\n\r\u2028\u2029]/).map((line) => line.trimEnd().replaceAll('*/', '*\\/'))
  while (lines.length > 0 && lines[0].trim() === '') lines.shift()
  while (lines.length > 0 && lines[lines.length - 1].trim() === '') lines.pop()
  if (lines.length === 0) return []
  if (lines.length === 1) return [`${indent}/** ${lines[0].trim()} */`]
  return [`${indent}/**`, ...lines.map((line) => `${indent} * ${line}`.trimEnd()), `${indent} */`]
}

/** Lines one step further in. */
export function indented(lines: readonly string[]): string[] {
  return lines.flatMap((line) => line.split('\n')).map((line) => (line === '' ? '' : `  ${line}`))
}
