/** docs/interop.md: what a whole run has found. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { goProgramsVersion } from '../../../scripts/lib/apache-thrift.mjs'
import { root } from '../../../scripts/lib/paths.mjs'
import { excuses, languages, names } from './cells.mjs'
import { markdownTable } from './tables.mjs'

/** @typedef {import('./cells.mjs').Cell} Cell */
/** @typedef {import('./perform.mjs').Outcome} Outcome */

/**
 * @param {string} file of the repository
 * @param {RegExp} pattern with one group: the version
 */
function versionIn(file, pattern) {
  return pattern.exec(readFileSync(join(root, file), 'utf8'))?.[1] ?? '?'
}

/** The library that each language's programs use. */
function libraries() {
  const python = versionIn('tests/peers/python/requirements.txt', /^thrift==(\S+)/m)
  const go = versionIn('tests/peers/apache/go/go.mod', /thrift v(\S+)/)
  const node = versionIn('tests/peers/apache/node/package.json', /"thrift": "([^"]+)"/)
  return `PyPI's \`thrift\` ${python}, Go's ${go} (programs of ${goProgramsVersion}), npm's \`thrift\` ${node}`
}

/**
 * How many of the service's methods the clients of a language call.
 * @param {readonly Cell[]} cells
 * @param {ReadonlyMap<Cell, Outcome>} outcomes
 */
function calls(cells, outcomes) {
  return languages.map((language) => {
    const called = cells
      .filter((cell) => cell.language === language)
      .flatMap((cell) => outcomes.get(cell)?.called ?? [])
      .filter((method) => method !== 'secondtestString')
    return `${names[language]} ${new Set(called).size}`
  })
}

/**
 * @param {readonly Cell[]} cells
 * @param {ReadonlyMap<Cell, Outcome>} outcomes
 */
export function page(cells, outcomes) {
  const served = cells.filter(({ ours }) => ours === 'server')
  const called = cells.filter(({ ours }) => ours === 'client')
  const reasons = excuses.map(({ reason }, n) => `${n + 1}. ${reason}`)
  return `# Interoperability

Apache Thrift's cross tests: the project's own test programs for \`ThriftTest.thrift\` against ours, written by
\`node tests/interop/apache/matrix.mjs --write\`. \`npm test -- interop\` runs them all and compares with this page. Libraries: ${libraries()}.

✔ every call was answered as it has to be; ✘ one was not${reasons.length > 0 ? '; a number: the other side cannot do it, see below' : ''}.

## Server of volo-js

It is told nothing: it finds out framing and protocol from what arrives. Of the 23 methods the clients call: ${calls(served, outcomes).join(', ')}.

${markdownTable(served, outcomes)}

## Client of volo-js

It is told what to speak and calls all 23 methods with the values of Apache's test clients, and the limits of the types.

${markdownTable(called, outcomes)}
${reasons.length > 0 ? `\n## What others cannot do\n\n${reasons.join('\n')}\n` : ''}
## Notes

- \`header\` over framed is a frame of THeader in a frame: Python and Go write it so, and npm's server reads it. Clients of volo-js call it
  \`header-framed\`.
- npm's client writes no headers whatever it is told: with \`header\` it sends plain binary, buffered or framed.
- *multiplexed*: two services on one port, called by Apache's \`TMultiplexedProtocol\`. Go's programs have one service only.
- *zlib*: calls over THeader are compressed; Go's server compresses its answers then, too. Clients of others are never told to compress.
- What the programs of others call is their business: those of Python leave out \`testInsanity\` and \`testStringMap\`, those of npm \`testMulti\` and
  \`testMultiException\`.
`
}
