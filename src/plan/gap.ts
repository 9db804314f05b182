// For how long nobody answers for a leaf while it is swapped or restarted: what a plan can say of it beforehand.

import type { TogetherSets } from './together.ts'
import { inWords } from './name-list.ts'
import type { SwapGroup } from './swap-table.ts'
import type { Verdict } from './verdict.ts'

type Gap = NonNullable<Verdict['gap']>

/** `measured`: milliseconds the last time; null where nothing is known. */
export function gapOf(order: 'start-first' | 'stop-first', measured: number | null): Gap {
  if (order === 'start-first') return { milliseconds: 0, because: 'the new one answers before the old one goes' }
  return measured === null
    ? { milliseconds: null, because: 'about a stop, a start and its check' }
    : { milliseconds: measured, because: 'measured the last time' }
}

/** Of a container that is stopped and started where it is. */
export function gapInPlace(measured: number | null): Gap {
  return measured === null ? { milliseconds: null, because: 'about a stop and a start' } : gapOf('stop-first', measured)
}

/** The verdicts of leaves that share a table, with the order they really get, their gaps, and who goes with them. */
export function tellGroups(
  groups: readonly SwapGroup[],
  sets: TogetherSets,
  measured: ReadonlyMap<string, number>,
): Map<string, Pick<Verdict, 'order' | 'gap' | 'notes'>> {
  const told = new Map<string, Pick<Verdict, 'order' | 'gap' | 'notes'>>()
  for (const { swaps } of groups) {
    const down = swaps.filter(
      ({ leaf, live, order }) => leaf.kind === 'container' && live !== null && order.kind === 'stop-first',
    )
    for (const { leaf, live, order } of swaps) {
      const others = (of: typeof swaps) => of.map((swap) => swap.leaf.name).filter((name) => name !== leaf.name)
      const set = sets.get(leaf.name)
      const together = set === undefined ? [] : others(swaps.filter((swap) => sets.get(swap.leaf.name) === set))
      const notes: string[] = []
      if (together.length > 0) notes.push(`it switches together with ${inWords(together)}`)
      const isReplaced = leaf.kind === 'container' && live !== null
      if (isReplaced && order.kind === 'stop-first' && down.length > 1) {
        notes.push(`it is down together with ${inWords(others(down))}: their gaps add up`)
      }
      const gap = isReplaced ? gapOf(order.kind, measured.get(leaf.name) ?? null) : null
      told.set(leaf.name, { order: isReplaced ? order : null, gap, notes })
    }
  }
  return told
}
