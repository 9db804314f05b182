// Remembers what was used last, up to a number of bytes (or whatever the weights count).

export interface Recent<Key, Value> {
  get(key: Key): Value | undefined
  set(key: Key, value: Value): void
}

/** Values above a quarter of `most` are not kept at all; the longest unused go first. */
export function recentBytes<Value>(most: number, weigh: (value: Value) => number): Recent<string, Value> {
  const kept = new Map<string, Value>()
  let total = 0
  return {
    get(key) {
      const value = kept.get(key)
      if (value === undefined) return undefined
      kept.delete(key)
      kept.set(key, value)
      return value
    },
    set(key, value) {
      const weight = weigh(value)
      if (weight > most / 4 || kept.has(key)) return
      kept.set(key, value)
      total += weight
      for (const [oldest, old] of kept) {
        if (total <= most) break
        kept.delete(oldest)
        total -= weigh(old)
      }
    },
  }
}
