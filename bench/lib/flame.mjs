/** Stacks from `perf script`, folded, counted and drawn. */
import { element, escapeXml } from './svg.mjs'

/**
 * @typedef {object} Stack
 * @property {string[]} frames outermost first
 * @property {string} leafObject file the innermost frame lies in
 * @property {boolean} inKernel
 * @property {number} count
 */

/** The head of a sample: the thread's name, its number, the time. */
const HEAD = /^(\S.*?)\s+\d+(?:\/\d+)?\s+(?:\[\d+\]\s+)?[\d.]+:/m

/**
 * Samples of `perf script`, those with the same stack on the same thread as one.
 * @param {string} script
 * @param {boolean} [byThread] the outermost frame is the name of the thread
 * @returns {Stack[]}
 */
export function fold(script, byThread = false) {
  /** @type {Map<string, Stack>} */
  const stacks = new Map()
  for (const sample of script.split(/\n\s*\n/)) {
    // Lines below the sample's head: address, symbol+offset, (object).
    const lines = [...sample.matchAll(/^\s+[0-9a-f]+ (.*?)(?:\+0x[0-9a-f]+)? \((.*)\)$/gm)]
    if (lines.length === 0) continue
    const objects = lines.map((line) => line[2])
    const frames = lines.map((line) => frameName(line[1], line[2])).reverse()
    if (byThread) frames.unshift(HEAD.exec(sample)?.[1] ?? 'thread')
    const key = frames.join('\n')
    const known = stacks.get(key)
    if (known !== undefined) known.count++
    else stacks.set(key, { frames, leafObject: objects[0], inKernel: isKernel(objects[0]), count: 1 })
  }
  return [...stacks.values()]
}

/** @param {string} object */
function isKernel(object) {
  return /^\[(kernel|guest\.kernel|vdso)/.test(object)
}

/**
 * @param {string} symbol
 * @param {string} object
 */
function frameName(symbol, object) {
  if (symbol === '[unknown]') return `[${object.split('/').pop()}]`
  // Names of compiled JavaScript carry a mark of the tier and the whole path.
  return symbol.replace(/ file:\/\/\S*\/(?=[^/]+$)/, ' ').slice(0, 160)
}

/**
 * Whose code a sample was in.
 * @param {Stack} stack
 * @returns {'system calls' | 'addon' | 'JavaScript' | 'Node and libuv'}
 */
export function ownerOf({ leafObject, inKernel }) {
  if (inKernel) return 'system calls'
  if (/\.node$/.test(leafObject)) return 'addon'
  if (/perf-\d+\.map$|\[anon|^\/\/anon|jitted/.test(leafObject)) return 'JavaScript'
  return 'Node and libuv'
}

/** @typedef {{ name: string, total: number, children: Map<string, Node> }} Node */

const WIDTH = 1200
const LINE = 17
/** Narrower boxes say nothing; in pixels. */
const NARROWEST = 0.4

/**
 * A flame graph: width is share of the samples, innermost frames on top; the full name of a frame shows when pointed at.
 * @param {readonly Stack[]} stacks
 * @param {string} title
 * @returns {string} SVG
 */
export function flameGraph(stacks, title) {
  /** @type {Node} */
  const top = { name: 'all', total: 0, children: new Map() }
  for (const { frames, count } of stacks) {
    top.total += count
    let node = top
    for (const name of frames) {
      let child = node.children.get(name)
      if (child === undefined) node.children.set(name, (child = { name, total: 0, children: new Map() }))
      child.total += count
      node = child
    }
  }
  /** @type {{ node: Node, x: number, level: number }[]} */
  const boxes = []
  const scale = WIDTH / top.total
  let deepest = 0
  /** @type {{ node: Node, x: number, level: number }[]} */
  const open = [{ node: top, x: 0, level: 0 }]
  for (let box = open.pop(); box !== undefined; box = open.pop()) {
    boxes.push(box)
    deepest = Math.max(deepest, box.level)
    let { x } = box
    for (const child of [...box.node.children.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (child.total * scale >= NARROWEST) open.push({ node: child, x, level: box.level + 1 })
      x += child.total * scale
    }
  }
  const height = 40 + (deepest + 1) * LINE
  const drawn = boxes.map(({ node, x, level }) => {
    const width = node.total * scale
    const y = height - 8 - (level + 1) * LINE
    const letters = Math.floor((width - 6) / 6.6)
    const label = letters < 3 ? '' : node.name.length > letters ? `${node.name.slice(0, letters - 1)}…` : node.name
    const share = `${node.name} (${((node.total / top.total) * 100).toFixed(1)} %, ${node.total} samples)`
    return element(
      'g',
      {},
      [
        element('title', {}, escapeXml(share)),
        element('rect', { x, y, width: Math.max(width - 0.3, 0.1), height: LINE - 1, rx: 1, fill: fill(node.name) }),
        label === '' ? '' : element('text', { x: x + 3, y: y + 12 }, escapeXml(label)),
      ].join(''),
    )
  })
  const attributes = {
    xmlns: 'http://www.w3.org/2000/svg',
    viewBox: `0 0 ${WIDTH} ${height}`,
    'font-family': 'ui-monospace, monospace',
    'font-size': 11,
  }
  const background = element('rect', { width: WIDTH, height, fill: '#fff' })
  const heading = element('text', { x: 8, y: 20, 'font-size': 14, 'font-weight': 'bold' }, escapeXml(title))
  return `${element('svg', attributes, [background, heading, ...drawn].join('\n'))}\n`
}

/**
 * A warm colour that is always the same for a name.
 * @param {string} name
 */
function fill(name) {
  let hash = 0
  for (const c of name) hash = (hash * 31 + (c.codePointAt(0) ?? 0)) | 0
  const shade = Math.abs(hash)
  return `rgb(${235 + (shade % 20)}, ${130 + (shade % 80)}, ${80 + (shade % 50)})`
}
