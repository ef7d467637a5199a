/** Values that JSON can say, and how deep they may go. */
import { TapeTypeError } from '../core/tape/errors.js'

/** Anything that JSON can say. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [name: string]: JsonValue }

/** How deep objects and arrays may be nested. */
export const MAX_DEPTH = 100

/** Throws if values are nested too deep to go on. */
export function checkDepth(path: string, depth: number): void {
  if (depth > MAX_DEPTH) throw new TapeTypeError(path, `nested deeper than ${MAX_DEPTH} levels`)
}
