// What a leaf needs for itself alone while another leaf's container still holds it, and does not give it up in the same
// plan: starting the new one would only fail, with the old one already stopped. Pure.

import type { Leaf, Tree } from '../desired/tree.ts'
import type { DependencyHold } from './dependency-hold.ts'
import { exclusivesOfContainer, exclusivesOfLeaf } from './exclusive.ts'
import type { ImageFacts, ObservedContainer } from './observed.ts'
import type { Proposal } from './proposal.ts'
import type { Situation } from './situation.ts'

export interface Holders {
  readonly tree: Tree
  readonly situations: ReadonlyMap<string, Situation>
  /** Of leaves in the tree and of leaves that go. */
  readonly proposals: ReadonlyMap<string, Proposal>
  readonly factsOf: (leaf: Leaf) => ImageFacts | null
}

/** Swaps that have to wait, by leaf. */
export function notGivenUp({ tree, situations, proposals, factsOf }: Holders): Map<string, DependencyHold> {
  const held = heldByOthers(tree, situations, factsOf)
  const waiting = new Map<string, DependencyHold>()
  for (const [name, { work }] of proposals) {
    const leaf = tree.leaves.get(name)
    if (work?.kind !== 'swap' || leaf === undefined) continue
    for (const { key, text } of exclusivesOfLeaf(leaf, tree, factsOf(leaf))) {
      const holder = held.get(key)
      if (holder === undefined || holder === name) continue
      const goes = proposals.get(holder)?.work?.kind
      if (goes === 'swap' || goes === 'remove') continue
      const { retryAt = null } = proposals.get(holder)?.verdict ?? {}
      waiting.set(name, { because: `${holder} still holds ${text}`, awaits: null, retryAt })
    }
  }
  return waiting
}

/**
 * Leaves whose live container is down and may not come back for now: the candidate of another leaf runs with what it
 * would need for itself alone. So it is where a swap of several leaves was interrupted half way.
 */
export function lentToCandidates(situations: ReadonlyMap<string, Situation>): ReadonlySet<string> {
  const lent = new Map<string, string>()
  for (const [name, { candidate }] of situations) {
    if (candidate === null || !isUp(candidate)) continue
    for (const { key } of exclusivesOfContainer(candidate)) lent.set(key, name)
  }
  const without = new Set<string>()
  for (const [name, { live }] of situations) {
    if (live === null || isUp(live)) continue
    const isLent = exclusivesOfContainer(live).some(({ key }) => (lent.get(key) ?? name) !== name)
    if (isLent) without.add(name)
  }
  return without
}

function isUp({ state }: ObservedContainer): boolean {
  return state !== 'created' && state !== 'exited' && state !== 'dead'
}

/** What running containers hold that their leaves do not ask for any more: key → leaf. */
function heldByOthers(
  tree: Tree,
  situations: ReadonlyMap<string, Situation>,
  factsOf: (leaf: Leaf) => ImageFacts | null,
): Map<string, string> {
  const held = new Map<string, string>()
  for (const [name, { live }] of situations) {
    if (live === null || !isUp(live)) continue
    const leaf = tree.leaves.get(name)
    const kept = new Set(leaf === undefined ? [] : exclusivesOfLeaf(leaf, tree, factsOf(leaf)).map(({ key }) => key))
    for (const { key } of exclusivesOfContainer(live)) if (!kept.has(key)) held.set(key, name)
  }
  return held
}
