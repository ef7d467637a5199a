/** Lines over time, as a picture. */
import { element, escapeXml } from '../../bench/lib/svg.mjs'

const WIDTH = 900
const HEIGHT = 360
const LEFT = 70
const RIGHT = 20
const TOP = 50
const BOTTOM = 50

/**
 * @typedef {object} Line
 * @property {string} name
 * @property {string} colour
 * @property {readonly { readonly x: number, readonly y: number }[]} points
 */

/**
 * @param {string} title
 * @param {{ x: string, y: string, mark?: { x: number, text: string } }} axes what they show; `mark`: a moment worth a line
 * @param {readonly Line[]} lines
 * @returns {string} SVG
 */
export function lineChart(title, axes, lines) {
  const points = lines.flatMap((line) => line.points)
  const mostX = Math.max(1e-9, ...points.map(({ x }) => x))
  const mostY = Math.max(1e-9, ...points.map(({ y }) => y)) * 1.1
  const x = (/** @type {number} */ value) => LEFT + (value / mostX) * (WIDTH - LEFT - RIGHT)
  const y = (/** @type {number} */ value) => HEIGHT - BOTTOM - (value / mostY) * (HEIGHT - TOP - BOTTOM)
  const text = (/** @type {Record<string, string | number>} */ at, /** @type {string} */ content) =>
    element('text', { fill: '#333', ...at }, escapeXml(content))

  const grid = [0, 0.25, 0.5, 0.75, 1].flatMap((part) => {
    const [gx, gy] = [x(part * mostX), y(part * mostY)]
    return [
      element('line', { x1: LEFT, x2: WIDTH - RIGHT, y1: gy, y2: gy, stroke: '#ddd' }),
      text({ x: LEFT - 8, y: gy + 4, 'text-anchor': 'end' }, (part * mostY).toFixed(0)),
      text({ x: gx, y: HEIGHT - BOTTOM + 18, 'text-anchor': 'middle' }, (part * mostX).toFixed(1)),
    ]
  })
  const drawn = lines.flatMap((line, n) => [
    element('polyline', {
      points: line.points.map((point) => `${x(point.x).toFixed(1)},${y(point.y).toFixed(1)}`).join(' '),
      fill: 'none',
      stroke: line.colour,
      'stroke-width': 1.5,
    }),
    element('rect', { x: LEFT + 10 + n * 160, y: TOP - 18, width: 12, height: 4, fill: line.colour }),
    text({ x: LEFT + 28 + n * 160, y: TOP - 12 }, line.name),
  ])
  const { mark } = axes
  const marked =
    mark === undefined
      ? []
      : [
          element('line', {
            x1: x(mark.x),
            x2: x(mark.x),
            y1: TOP,
            y2: HEIGHT - BOTTOM,
            stroke: '#999',
            'stroke-dasharray': '3 3',
          }),
          text({ x: x(mark.x) + 5, y: HEIGHT - BOTTOM - 8, 'font-size': 11 }, mark.text),
        ]
  return `${element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      'font-family': 'system-ui, sans-serif',
      'font-size': 12,
    },
    [
      element('rect', { width: WIDTH, height: HEIGHT, fill: '#fff' }),
      text({ x: 12, y: 22, 'font-size': 15, 'font-weight': 'bold' }, title),
      text({ x: 12, y: TOP - 12, 'font-size': 11 }, axes.y),
      text({ x: WIDTH - RIGHT, y: HEIGHT - 12, 'text-anchor': 'end', 'font-size': 11 }, axes.x),
      ...grid,
      ...marked,
      ...drawn,
    ].join('\n'),
  )}\n`
}
