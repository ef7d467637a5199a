/** Numbers that look random and are the same for the same seed, so that what went wrong can be tried again. */
export interface Random {
  /** At least 0, below `end`. */
  below(end: number): number
  /** One of these. */
  of<T>(choices: readonly T[]): T
}

/** mulberry32: 32 bits of state, good enough to choose moments by. */
export function seeded(seed: number): Random {
  let state = seed | 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return { below: (end) => next() * end, of: (choices) => choices[Math.floor(next() * choices.length)] }
}

/** The seed of this run: `VOLO_SEED`, or one that is printed where a test fails. */
export function newSeed(): number {
  return Number(process.env.VOLO_SEED ?? Math.floor(Math.random() * 2 ** 31))
}
