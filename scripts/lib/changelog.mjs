/** What CHANGELOG.md says of a version. */

/**
 * The text below a version's heading (`## 1.2.3` or `## 1.2.3 - 2026-01-31`), without the heading.
 * @param {string} changelog
 * @param {string} version `Unreleased` or a number, without a `v`
 * @returns {string | undefined} undefined if it has no heading, or nothing below it
 */
export function notesOf(changelog, version) {
  const lines = changelog.split('\n')
  const headings = lines.flatMap((line, index) => (line.startsWith('## ') ? [index] : []))
  const begin = headings.find((index) => lines[index].slice(3).replace(/[[\]]/g, '').split(/\s/)[0] === version)
  if (begin === undefined) return undefined
  const end = headings.find((index) => index > begin) ?? lines.length
  const text = lines
    .slice(begin + 1, end)
    .join('\n')
    .trim()
  return text === '' ? undefined : text
}
