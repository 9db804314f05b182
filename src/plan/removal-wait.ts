// What is gone from the tree may still serve a leaf that runs as an older commit declared it. So leaves are removed when
// the others have become what the commit says; one that cannot (its new spec failed, or is refused) keeps them.

import type { Tree } from '../desired/tree.ts'
import type { PlanInput } from './planning.ts'
import type { Proposal } from './proposal.ts'
import { unfinished } from './removals.ts'
import type { Situation } from './situation.ts'

/** A leaf that runs another generation and that this plan does not swap; null where there is none. */
export function unsettledLeaf(
  tree: Tree,
  situations: ReadonlyMap<string, Situation>,
  proposals: ReadonlyMap<string, Proposal>,
): string | null {
  for (const { leaf, live } of situations.values()) {
    const wanted = tree.leaves.get(leaf)
    if (wanted === undefined || live === null || live.labels.generation === wanted.generation) continue
    if (wanted.kind === 'job' || wanted.suspend || wanted.state === 'stopped') continue
    if (proposals.get(leaf)?.work?.kind !== 'swap') return leaf
  }
  return null
}

/** The proposals with those of `waiting` turned into holds; what is half swapped of them is still finished. */
export function holdRemovals(
  proposals: readonly Proposal[],
  waiting: ReadonlySet<string>,
  unsettled: string | null,
  input: Pick<PlanInput, 'tree' | 'observed'>,
): Proposal[] {
  return proposals.map((proposal) => {
    const { work, verdict } = proposal
    if (work?.kind !== 'remove' || !waiting.has(verdict.leaf)) return proposal
    const because = `its file is gone, but ${unsettled} still runs an older generation, which may use it`
    return unfinished(work.situation, input, because) ?? { verdict: { ...verdict, kind: 'hold', because }, work: null }
  })
}
