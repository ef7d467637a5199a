/**
 * Headers of Thrift as they cross the tape: `name LF value LF name LF value LF …`, a backslash written `\\` and a line feed `\n`. Values that
 * TTHeader has under numbers are named `:N`.
 */

/** Names and values in the order they came. */
export type Headers = readonly (readonly [name: string, value: string])[]

export function parseHeaders(text: string): Headers {
  if (text === '') return []
  const parts = text.split('\n')
  const headers: [string, string][] = []
  for (let i = 0; i + 1 < parts.length; i += 2) headers.push([unescape(parts[i]), unescape(parts[i + 1])])
  return headers
}

/** One name and its value, to be put behind others. */
export function headerText(name: string, value: string): string {
  return `${escape(name)}\n${escape(value)}\n`
}

function escape(text: string): string {
  return /[\\\n]/.test(text) ? text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n') : text
}

function unescape(text: string): string {
  return text.includes('\\') ? text.replace(/\\([^])/g, (_, after: string) => (after === 'n' ? '\n' : after)) : text
}
