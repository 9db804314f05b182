// Swaps that would take a namespace away from a container that lives in it and does not come along: it would go on
// without a network, and could never be started again. Pure.

import type { Tree } from '../desired/tree.ts'
import type { DependencyHold } from './dependency-hold.ts'
import type { Proposal } from './proposal.ts'
import type { Situation } from './situation.ts'
import { joinedLeaves } from './swap-order.ts'

export interface Companions {
  readonly tree: Tree
  readonly situations: ReadonlyMap<string, Situation>
  readonly proposals: ReadonlyMap<string, Proposal>
  readonly busy: ReadonlySet<string>
}

/** Owners whose swap has to wait, by leaf. */
export function leftBehind({ tree, situations, proposals, busy }: Companions): Map<string, DependencyHold> {
  const waiting = new Map<string, DependencyHold>()
  for (const leaf of tree.leaves.values()) {
    const live = situations.get(leaf.name)?.live ?? null
    const proposal = proposals.get(leaf.name)
    // What is left of a job is its log.
    if (live === null || proposal === undefined || leaf.kind === 'job' || leaf.state === 'stopped') continue
    if (proposal.work?.kind === 'swap') continue
    const { network_mode, pid, ipc } = live.running
    for (const joined of joinedLeaves(leaf)) {
      const owner = situations.get(joined)?.live ?? null
      if (owner === null || proposals.get(joined)?.work?.kind !== 'swap') continue
      if (![network_mode, pid, ipc].includes(`container:${owner.id}`)) continue
      const { verdict, work } = proposal
      const passes = busy.has(leaf.name) || work !== null
      waiting.set(joined, {
        because: `${leaf.name}, which lives in its namespace, cannot come along: ${verdict.because}`,
        awaits: passes ? leaf.name : verdict.awaits,
        retryAt: verdict.retryAt,
      })
    }
  }
  return waiting
}
