// Random choices that a seed determines.

export interface Random {
  /** From 0, without 1. */
  next(): number
  /** A whole number from 0, without `below`. */
  below(below: number): number
  pick<T>(from: readonly T[]): T
  /** True in this share of cases. */
  chance(share: number): boolean
}

/** Mulberry32 (Tommy Ettinger, public domain). */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const below = (limit: number) => Math.floor(next() * limit)
  return {
    next,
    below,
    pick(from) {
      const found = from[below(from.length)]
      if (found === undefined) throw new RangeError('nothing to pick from')
      return found
    },
    chance: (share) => next() < share,
  }
}
