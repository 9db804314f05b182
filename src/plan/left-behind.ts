// Swaps that would take a namespace away from a container that lives in it and does not come along: it would go on
// without a network, and could never be started again. That holds for a swap that is planned, and for one that an
// earlier turn left half done. Pure.

import type { Leaf, Tree } from '../desired/tree.ts'
import type { DependencyHold } from './dependency-hold.ts'
import type { ObservedContainer } from './observed.ts'
import { runs } from './planning.ts'
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
    const { live = null, candidate = null } = situations.get(leaf.name) ?? {}
    const proposal = proposals.get(leaf.name)
    // What is left of a job is its log.
    if (proposal === undefined || leaf.kind === 'job' || leaf.state === 'stopped') continue
    if (proposal.work?.kind === 'swap') continue
    for (const joined of joinedLeaves(leaf)) {
      const owner = situations.get(joined)?.live ?? null
      if (owner === null || proposals.get(joined)?.work?.kind !== 'swap') continue
      const inHand = busy.has(leaf.name)
      // What a table has in hand may be made again there, where somebody removed it.
      if (!inHand && !livesIn(live, owner) && !livesIn(candidate, owner)) continue
      const { verdict, work } = proposal
      const passes = inHand || work !== null
      waiting.set(joined, {
        because: `${leaf.name}, which lives in its namespace, cannot come along: ${verdict.because}`,
        awaits: passes ? leaf.name : verdict.awaits,
        retryAt: verdict.retryAt,
      })
    }
  }
  return waiting
}

/**
 * Leaves whose candidate goes, although it is what is wanted: an owner's, at its gate, where something lives in the
 * namespace of the one that is live; and one that was to live in another namespace than that.
 */
export function companionsAnew({ tree, situations }: Pick<Companions, 'tree' | 'situations'>): Set<string> {
  const anew = new Set<string>()
  for (const [name, leaf] of tree.leaves) {
    const { live = null, candidate = null } = situations.get(name) ?? {}
    if (leaf.kind === 'job') continue
    for (const joined of joinedLeaves(leaf)) {
      const owner = situations.get(joined)
      if (owner === undefined || owner.live === null) continue
      const isAlone = owner.retired.length > 0 || !isAtGate(owner.candidate) || leaf.state === 'stopped'
      if (!isAlone && livesIn(live, owner.live)) anew.add(joined)
      if (isAtGate(candidate) && !livesIn(candidate, owner.live)) anew.add(name)
    }
  }
  return anew
}

/**
 * Whether the leaf's candidate lives in the namespace of a container that takes its name or has it by now, and its live
 * container in one that has lost it: all of them had passed their gates, and graft ended between the renames.
 */
export function ownerHasSwitched(leaf: Leaf, situations: ReadonlyMap<string, Situation>): boolean {
  const { live = null, candidate = null } = situations.get(leaf.name) ?? {}
  if (leaf.kind === 'job' || !['running', 'paused', 'exited'].includes(candidate?.state ?? '')) return false
  return joinedLeaves(leaf).some((joined) => {
    const owner = situations.get(joined)
    // Between its two renames an owner has no live container.
    const newer = owner?.live ?? owner?.candidate ?? null
    return owner?.retired.some((old) => livesIn(live, old)) === true && livesIn(candidate, newer)
  })
}

/** The leaf that has to switch along before the old container of `owner` may go; null where there is none. */
export function switchesFirst(
  owner: string,
  { tree, situations }: Pick<Companions, 'tree' | 'situations'>,
): string | null {
  const { live = null, retired = [] } = situations.get(owner) ?? {}
  if (live === null || retired.length === 0) return null
  for (const leaf of tree.leaves.values())
    if (joinedLeaves(leaf).includes(owner) && ownerHasSwitched(leaf, situations)) return leaf.name
  return null
}

function livesIn(container: ObservedContainer | null, owner: ObservedContainer | null): boolean {
  if (container === null || owner === null) return false
  const { network_mode, pid, ipc } = container.running
  return [network_mode, pid, ipc].includes(`container:${owner.id}`)
}

function isAtGate(candidate: ObservedContainer | null): candidate is ObservedContainer {
  return runs(candidate) || candidate?.state === 'paused'
}
