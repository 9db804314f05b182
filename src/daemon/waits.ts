// How long a leaf is left alone after a fault, or after it had to be mended again and again. Grows with each time, and
// is forgotten when things go well.

import type { Leaf } from '../desired/tree.ts'
import type { Wait } from '../plan/planning.ts'

export interface Waits {
  /** `until` is of the same clock as every `now` here: the steady one. */
  current(): ReadonlyMap<string, Wait>
  /** A fault of the registry, the disk, the network or the engine: 2 s, doubling up to 5 min for one spec. */
  fault(name: string, spec: SpecId, because: string, now: number): void
  /** It was mended in place. The first times cost nothing; from the third on, none ten minutes after the last, pauses grow. */
  mended(name: string, spec: SpecId, now: number): void
  succeeded(name: string): void
  /** Forgets one name, or all: somebody asked to try again. */
  forget(name: string | null): void
}

export interface SpecId {
  readonly generation: number
  readonly digest: string
  /** What the leaf was to be: that it did not run says nothing of stopping it, nor the other way round. */
  readonly state: Leaf['state']
}

const FIRST = 2_000
const LONGEST = 300_000
const MENDED_WITHIN = 600_000
const MENDED_FREELY = 2
/** No fault for longer than the longest pause and a try take. */
const FORGOTTEN_AFTER = 3_600_000

export function createWaits(): Waits {
  const waits = new Map<string, Wait>()
  const faults = new Map<string, SpecId & { count: number; last: number }>()
  const mends = new Map<string, { count: number; last: number }>()
  return {
    current: () => new Map(waits),
    fault(name, spec, because, now) {
      const before = faults.get(name)
      // Another spec is another try, whatever kept the one before from coming up.
      const isSame =
        before?.generation === spec.generation && before.digest === spec.digest && before.state === spec.state
      const count = isSame && now - before.last < FORGOTTEN_AFTER ? before.count + 1 : 1
      faults.set(name, { ...spec, count, last: now })
      waits.set(name, { ...spec, until: now + growing(count), because })
    },
    mended(name, spec, now) {
      const before = mends.get(name)
      const count = before !== undefined && now - before.last < MENDED_WITHIN ? before.count + 1 : 1
      mends.set(name, { count, last: now })
      const excess = count - MENDED_FREELY
      if (excess <= 0) return
      const because = `it had to be mended ${count} times in a row; graft waits a little longer each time`
      waits.set(name, { ...spec, until: now + growing(excess), because })
    },
    succeeded(name) {
      waits.delete(name)
      faults.delete(name)
    },
    forget(name) {
      for (const map of [waits, faults, mends]) {
        if (name === null) map.clear()
        else map.delete(name)
      }
    },
  }
}

function growing(count: number): number {
  return Math.min(LONGEST, FIRST * 2 ** (count - 1))
}
