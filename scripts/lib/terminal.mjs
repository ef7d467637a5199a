/** What the scripts print: colour where the terminal has it, tables, and one progress line. */
import process from 'node:process'
import { stripVTControlCharacters, styleText } from 'node:util'

/**
 * Whether a stream takes colour. `NO_COLOR` switches it off, `FORCE_COLOR` on.
 * @param {NodeJS.WriteStream} stream
 */
function hasColour(stream) {
  if (process.env.NO_COLOR) return false
  if (process.env.FORCE_COLOR) return process.env.FORCE_COLOR !== '0'
  return stream.isTTY === true && process.env.TERM !== 'dumb'
}

const colour = hasColour(process.stdout)

/**
 * @param {Parameters<typeof styleText>[0]} format
 * @returns {(text: string) => string}
 */
const style = (format) => (text) => (colour ? styleText(format, text, { validateStream: false }) : text)

export const bold = style('bold')
export const dim = style('dim')
export const red = style('red')
export const green = style('green')
export const yellow = style('yellow')

/**
 * A duration for people: `840 ms`, `12.4 s`, `3 min 20 s`.
 * @param {number} ms
 */
export function time(ms) {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

/**
 * A whole number with its thousands apart: `123,456`.
 * @param {number} value
 */
export function count(value) {
  return Math.round(value).toLocaleString('en-US')
}

/**
 * Lines of a table: first column to the left, the others to the right, two spaces between.
 * @param {readonly (readonly string[])[]} rows
 * @param {{ left?: readonly number[] }} [options] `left`: further columns that go to the left
 * @returns {string}
 */
export function table(rows, options = {}) {
  const left = new Set([0, ...(options.left ?? [])])
  /** @param {string} text */
  const width = (text) => stripVTControlCharacters(text).length
  /** @type {number[]} */
  const widths = []
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, width(cell))))
  return rows
    .map((row) =>
      row
        .map((cell, i) => {
          const pad = ' '.repeat((widths[i] ?? 0) - width(cell))
          return left.has(i) ? cell + pad : pad + cell
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/**
 * A line that says how far something is: rewritten in place on a terminal, a line each time elsewhere.
 */
export class Progress {
  #inPlace = process.stdout.isTTY === true && process.env.TERM !== 'dumb'
  #open = false

  /** @param {string} text */
  update(text) {
    if (this.#inPlace) {
      process.stdout.write(`\r\u001B[2K${text.slice(0, (process.stdout.columns || 80) - 1)}`)
      this.#open = true
    } else {
      process.stdout.write(`${text}\n`)
    }
  }

  /** Removes the line, so that what follows begins on a clean one. */
  done() {
    if (this.#open) process.stdout.write('\r\u001B[2K')
    this.#open = false
  }
}
