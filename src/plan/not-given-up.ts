// What a leaf needs for itself alone while another leaf's container still holds it, and does not give it up in the same
// plan: starting the new one would only fail, with the old one already stopped. Pure.

import type { Leaf, Tree } from '../desired/tree.ts'
import type { DependencyHold } from './dependency-hold.ts'
import { exclusivesOfContainer, exclusivesOfLeaf } from './exclusive.ts'
import type { ImageFacts } from './observed.ts'
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

/** What running containers hold that their leaves do not ask for any more: key → leaf. */
function heldByOthers(
  tree: Tree,
  situations: ReadonlyMap<string, Situation>,
  factsOf: (leaf: Leaf) => ImageFacts | null,
): Map<string, string> {
  const held = new Map<string, string>()
  for (const [name, { live }] of situations) {
    if (live === null || live.state === 'created' || live.state === 'exited' || live.state === 'dead') continue
    const leaf = tree.leaves.get(name)
    const kept = new Set(leaf === undefined ? [] : exclusivesOfLeaf(leaf, tree, factsOf(leaf)).map(({ key }) => key))
    for (const { key } of exclusivesOfContainer(live)) if (!kept.has(key)) held.set(key, name)
  }
  return held
}
