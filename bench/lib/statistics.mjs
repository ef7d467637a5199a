/** Rounds, and what they add up to. */

/**
 * @typedef {object} Spread
 * @property {number} min
 * @property {number} median
 * @property {number} max
 */

/**
 * @param {readonly number[]} values at least one
 * @returns {Spread}
 */
export function spread(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  return { min: sorted[0], median, max: sorted[sorted.length - 1] }
}

/**
 * Ratio of each round to the peer's round right beside it: what changes on the machine changes both.
 * @param {readonly number[]} ours
 * @param {readonly number[]} peer
 * @returns {Spread}
 */
export function ratio(ours, peer) {
  return spread(ours.map((value, round) => value / peer[round]))
}

/**
 * Slope of a line through points, by least squares.
 * @param {readonly { x: number, y: number }[]} points
 */
export function slope(points) {
  const n = points.length
  const meanX = points.reduce((sum, p) => sum + p.x, 0) / n
  const meanY = points.reduce((sum, p) => sum + p.y, 0) / n
  let over = 0
  let under = 0
  for (const { x, y } of points) {
    over += (x - meanX) * (y - meanY)
    under += (x - meanX) ** 2
  }
  return over / under
}
