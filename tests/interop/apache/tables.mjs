/** What a run has found, for the terminal and for the page. */
import { dim, green, red, table, yellow } from '../../../scripts/lib/terminal.mjs'
import { channels, excuses, rowOf, transports } from './cells.mjs'

/** @typedef {import('./cells.mjs').Cell} Cell */
/** @typedef {import('./perform.mjs').Outcome} Outcome */

const columns = channels.flatMap((channel) => transports.map((transport) => ({ channel, transport })))

/**
 * What stands in a cell: whether it passed, the number of its excuse, or nothing where there is no such cell.
 * @param {readonly Cell[]} row
 * @param {ReadonlyMap<Cell, Outcome>} outcomes
 * @returns {(boolean | number | undefined)[]}
 */
function marks(row, outcomes) {
  return columns.map(({ channel, transport }) => {
    const cell = row.find((it) => it.channel === channel && it.transport === transport)
    if (cell === undefined) return undefined
    const excuse = excuses.findIndex(({ covers }) => covers(cell))
    return excuse < 0 ? outcomes.get(cell)?.ok : excuse + 1
  })
}

/**
 * Cells by row, in their order.
 * @param {readonly Cell[]} cells
 * @returns {[name: string, row: Cell[]][]}
 */
function rows(cells) {
  const names = [...new Set(cells.map(rowOf))]
  return names.map((name) => [name, cells.filter((cell) => rowOf(cell) === name)])
}

/**
 * The table for a terminal.
 * @param {readonly Cell[]} cells
 * @param {ReadonlyMap<Cell, Outcome>} outcomes
 */
export function tables(cells, outcomes) {
  const head = ['', ...columns.map(({ channel, transport }) => dim(`${channel}, ${transport}`))]
  const body = rows(cells).map(([name, row]) => [
    name,
    ...marks(row, outcomes).map((mark) => {
      if (mark === undefined) return ''
      if (typeof mark === 'number') return yellow(`(${mark})`)
      return mark ? green('✔') : red('✘')
    }),
  ])
  return table([head, ...body])
}

/**
 * The table of one side, in Markdown.
 * @param {readonly Cell[]} cells
 * @param {ReadonlyMap<Cell, Outcome>} outcomes
 */
export function markdownTable(cells, outcomes) {
  const lines = [['', ...columns.map(({ channel, transport }) => `${channel}, ${transport}`)], ['---']]
  lines[1].push(...columns.map(() => ':-:'))
  for (const [name, row] of rows(cells)) {
    const texts = marks(row, outcomes).map((mark) => {
      if (mark === undefined) return ''
      if (typeof mark === 'number') return `(${mark})`
      return mark ? '✔' : '✘'
    })
    lines.push([name, ...texts])
  }
  return lines.map((line) => `| ${line.join(' | ')} |`).join('\n')
}
