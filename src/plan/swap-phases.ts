// In which order the members of one swap come up: first what runs beside what is live, then what must go down for it.

import type { Tree } from '../desired/tree.ts'
import type { Swap } from './swap-table.ts'

export interface SwapPhases {
  /** Start-first members and jobs: they come up and prove themselves while all that is live still runs. */
  readonly first: readonly Swap[]
  /** Stop-first members, which go down in reverse, and what depends on one of them. */
  readonly last: readonly Swap[]
}

/** `swaps` in launch order, which both phases keep. */
export function swapPhases(swaps: readonly Swap[], tree: Tree): SwapPhases {
  const last = new Set<string>()
  for (const { leaf, order } of swaps) {
    const down = order.kind === 'stop-first' && leaf.kind === 'container'
    const dependencies = [...(tree.leaves.get(leaf.name)?.dependencies.keys() ?? [])]
    if (down || dependencies.some((name) => last.has(name))) last.add(leaf.name)
  }
  return {
    first: swaps.filter(({ leaf }) => !last.has(leaf.name)),
    last: swaps.filter(({ leaf }) => last.has(leaf.name)),
  }
}
