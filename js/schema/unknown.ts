/** What the schema does not know of a struct, as interpreters read and write it. */
import { isBytes, required } from '../core/tape/checks.js'
import type { InTape } from '../core/tape/reader.js'
import type { OutTape } from '../core/tape/writer.js'
import type { Struct } from './model.js'
import { keepsUnknown, presenceSlots } from './types.js'

/** Gives an object the fields that the schema does not know, if it keeps them and there are any; `p` is the struct's first slot. */
export function unknownReader(struct: Struct): (value: object, t: InTape, p: number) => void {
  if (!keepsUnknown(struct)) return () => undefined
  const position = struct.fields.length
  const slot = presenceSlots(struct) + position
  const [word, bit] = [position >> 5, 1 << (position & 31)]
  return (value, t, p) => {
    if ((t.i32[2 * p + word] & bit) !== 0) (value as { $unknown?: Uint8Array }).$unknown = t.binary(p + slot)
  }
}

/** Lays what an object has of fields that the schema does not know, and marks it; `q` is the struct's first slot. */
export function unknownWriter(struct: Struct): (value: object, t: OutTape, q: number, words: Int32Array) => void {
  if (!keepsUnknown(struct)) return () => undefined
  const position = struct.fields.length
  const slot = presenceSlots(struct) + position
  return (value, t, q, words) => {
    const { $unknown: rest } = value as { readonly $unknown?: unknown }
    if (rest === undefined || rest === null) return
    if (!isBytes(rest)) required('.$unknown', 'Uint8Array', rest)
    if (rest.length === 0) return
    t.binary(q + slot, rest)
    words[position >> 5] |= 1 << (position & 31)
  }
}
