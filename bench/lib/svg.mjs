/** Bits of SVG. */

/** @param {string} text */
export function escapeXml(text) {
  return text.replace(/[<>&"]/g, (c) => ({ '<': '&lt;', '>': '&gt;', '&': '&amp;', '"': '&quot;' })[c] ?? c)
}

/**
 * An element.
 * @param {string} name
 * @param {Record<string, string | number>} attributes
 * @param {string} [content] already escaped
 */
export function element(name, attributes, content) {
  const list = Object.entries(attributes)
    .map(([key, value]) => ` ${key}="${typeof value === 'number' ? round(value) : escapeXml(value)}"`)
    .join('')
  return content === undefined ? `<${name}${list}/>` : `<${name}${list}>${content}</${name}>`
}

/** @param {number} value */
function round(value) {
  return Math.round(value * 100) / 100
}
