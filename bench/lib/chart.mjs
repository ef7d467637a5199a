/**
 * A result as a picture: a bar a row, as long as the row is good measured by its target. The line at 1 is the target; the whisker is the spread
 * of the rounds. Rows without a target are left out.
 */
import { figure, judged, targetText } from './row.mjs'
import { element, escapeXml } from './svg.mjs'

/** @typedef {import('./row.mjs').Row} Row */

const LABELS = 330
const BARS = 420
const FIGURES = 210
const LINE = 24
const TOP = 46
/** Beyond twice the target a bar says no more. */
const LONGEST = 2

/**
 * How good a value is: 1 is on target, more is better.
 * @param {Row} row
 * @param {number} value
 */
function score({ target }, value) {
  if (target === undefined) return 0
  // Of a target of none, none is on it.
  if (value === target.value) return 1
  const good = target.is === 'at least' ? value / target.value : target.value / value
  return Math.min(LONGEST, Math.max(0, good))
}

/**
 * @param {{ suite: string, machine: object, rows: readonly Row[] }} result
 * @returns {string}
 */
export function chart({ suite, machine, rows }) {
  const shown = rows.filter((row) => row.target !== undefined)
  const width = LABELS + BARS + FIGURES
  const height = TOP + shown.length * LINE + 34
  const x = (/** @type {number} */ good) => LABELS + (good / LONGEST) * BARS
  const { cpu, node, date } = /** @type {{ cpu: string, node: string, date: string }} */ (machine)

  const bars = shown.flatMap((row, i) => {
    const y = TOP + i * LINE
    const values = judged(row)
    const ends = [score(row, values.min), score(row, values.max)].sort((a, b) => a - b)
    const text = `${figure(values.median)}${row.ratio === undefined ? ` ${row.unit}` : '×'} (${targetText(row)})`
    const fill = row.verdict === 'pass' ? '#2a9d6f' : '#d08a1d'
    return [
      element('text', { x: LABELS - 10, y: y + 15, 'text-anchor': 'end' }, escapeXml(label(row))),
      element('rect', { x: LABELS, y: y + 4, width: x(score(row, values.median)) - LABELS, height: 14, rx: 2, fill }),
      element('line', { x1: x(ends[0]), x2: x(ends[1]), y1: y + 11, y2: y + 11, stroke: 'currentColor' }),
      element('text', { x: LABELS + BARS + 12, y: y + 15 }, escapeXml(text)),
    ]
  })
  const bottom = TOP + shown.length * LINE
  return `${element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      viewBox: `0 0 ${width} ${height}`,
      'font-family': 'system-ui, sans-serif',
      'font-size': 12,
      color: '#333',
    },
    [
      element('rect', { width, height, fill: '#fff' }),
      element(
        'g',
        { fill: 'currentColor' },
        [
          element('text', { x: 12, y: 24, 'font-size': 15, 'font-weight': 'bold' }, escapeXml(`volo-js: ${suite}`)),
          element('text', { x: x(1), y: 38, 'text-anchor': 'middle' }, 'target'),
          ...bars,
          element('line', {
            x1: x(1),
            x2: x(1),
            y1: TOP,
            y2: bottom,
            stroke: 'currentColor',
            'stroke-dasharray': '3 3',
          }),
          element(
            'text',
            { x: 12, y: bottom + 22, 'font-size': 11 },
            escapeXml(`${cpu}, Node ${node}, ${date.slice(0, 10)}`),
          ),
        ].join('\n'),
      ),
    ].join('\n'),
  )}\n`
}

/** @param {Row} row */
function label(row) {
  return row.peer === undefined ? row.name : `${row.name}, to ${row.peer}`
}
