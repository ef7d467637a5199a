/** The cells of the matrix: who serves whom, over what. */

/** @typedef {import('../../../scripts/lib/apache-peers.mjs').ApacheLanguage} Language */
/** @typedef {'binary' | 'compact' | 'json' | 'header'} Protocol */
/** @typedef {'buffered' | 'framed'} Transport */
/** @typedef {'plain' | 'TLS' | 'Unix socket'} Channel */
/** @typedef {'multiplexed' | 'zlib'} Variant names of services stand before those of their methods; messages are compressed */

/**
 * @typedef {object} Cell
 * @property {'server' | 'client'} ours which side is ours
 * @property {Language} language of the other side
 * @property {Protocol} protocol
 * @property {Variant} [variant] what is special about its calls
 * @property {Channel} channel
 * @property {Transport} transport
 */

/** @type {readonly Language[]} */
export const languages = ['python', 'go', 'node']

/** @type {readonly Protocol[]} */
export const protocols = ['binary', 'compact', 'json', 'header']

/** @type {readonly Transport[]} */
export const transports = ['buffered', 'framed']

/** @type {readonly Channel[]} */
export const channels = ['plain', 'TLS', 'Unix socket']

/** What the other side is called. */
export const names = { python: 'Python', go: 'Go', node: 'Node' }

/** Languages whose programs have multiplexed services. */
const multiplexing = ['python', 'node']

/**
 * Why a cell is excused: only what the other side cannot do.
 * @type {readonly { reason: string, covers: (cell: Cell) => boolean }[]}
 */
export const excuses = [
  {
    reason: "npm's `thrift` refuses THeader's transforms.",
    covers: ({ language, variant }) => language === 'node' && variant === 'zlib',
  },
]

/**
 * Variants of the cells of a protocol. That calls are compressed is up to clients, and those of others are never told to.
 * @param {Pick<Cell, 'ours' | 'language' | 'protocol'>} cell
 * @returns {Variant[]}
 */
function variantsOf({ ours, language, protocol }) {
  /** @type {Variant[]} */
  const variants = multiplexing.includes(language) ? ['multiplexed'] : []
  if (ours === 'client' && protocol === 'header') variants.push('zlib')
  return variants
}

/**
 * All cells. Variants are tried over plain connections alone: what encrypts or carries the bytes does not see them.
 * @returns {Cell[]}
 */
export function allCells() {
  /** @type {Cell[]} */
  const cells = []
  for (const ours of /** @type {const} */ (['server', 'client'])) {
    for (const language of languages) {
      for (const protocol of protocols) {
        for (const channel of channels) {
          for (const transport of transports) {
            cells.push({ ours, language, protocol, channel, transport })
          }
        }
        for (const variant of variantsOf({ ours, language, protocol })) {
          for (const transport of transports) {
            cells.push({ ours, language, protocol, variant, channel: 'plain', transport })
          }
        }
      }
    }
  }
  return cells
}

/**
 * A cell's row, and its name but for channel and transport.
 * @param {Pick<Cell, 'ours' | 'language' | 'protocol' | 'variant'>} cell
 */
export function rowOf({ ours, language, protocol, variant }) {
  const pair = ours === 'server' ? `${names[language]} → volo-js` : `volo-js → ${names[language]}`
  return `${pair}, ${protocol}${variant === undefined ? '' : `, ${variant}`}`
}

/** @param {Cell} cell */
export const nameOf = (cell) => `${rowOf(cell)}, ${cell.transport}, ${cell.channel}`
