import process from 'node:process'
import type { Palette } from '../schema/idl-error.js'

type Paint = (text: string) => string

/** Colours of the command line's output. */
export interface Colours extends Palette {
  /** What went well. */
  readonly good: Paint
  /** What matters less than the rest. */
  readonly faint: Paint
}

/**
 * Colours for a stream: none unless it is a terminal. `NO_COLOR` switches them off (no-color.org), `FORCE_COLOR` on.
 */
export function coloursFor(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env): Colours {
  const forced = env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '0'
  const refused = (env.NO_COLOR ?? '') !== '' || env.TERM === 'dumb'
  const coloured = !refused && (forced || stream.isTTY === true)
  const paint = (code: string): Paint => (coloured ? (text) => `\u001b[${code}m${text}\u001b[0m` : (text) => text)
  return {
    error: paint('1;31'),
    strong: paint('1'),
    frame: paint('1;34'),
    good: paint('32'),
    faint: paint('2'),
  }
}
