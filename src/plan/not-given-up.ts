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
 * Leaves whose live container is down and may not come back for now, with the reason: a container of another leaf runs
 * with what it would need for itself alone. So it is where a swap of several leaves was interrupted half way.
 */
export function takenElsewhere(tree: Tree, situations: ReadonlyMap<string, Situation>): ReadonlyMap<string, string> {
  const taken = new Map<string, Map<string, string>>()
  for (const [name, { live, candidate, retired }] of situations) {
    // One whose set is stopped goes down first, in the same plan.
    const leaf = tree.leaves.get(name)
    const stops = leaf?.state === 'stopped' && !leaf.suspend
    for (const container of [stops ? null : live, candidate, ...retired]) {
      if (container === null || !isUp(container)) continue
      for (const { key } of exclusivesOfContainer(container)) {
        const holders = taken.get(key) ?? new Map<string, string>()
        taken.set(key, holders.set(name, container.name))
      }
    }
  }
  const without = new Map<string, string>()
  for (const [name, { live }] of situations) {
    if (live === null || isUp(live)) continue
    for (const { key, text } of exclusivesOfContainer(live)) {
      const [other] = [...(taken.get(key) ?? [])].filter(([leaf]) => leaf !== name)
      if (other !== undefined) without.set(name, `${other[1]} has ${text}`)
    }
  }
  return without
}

function isUp({ state }: ObservedContainer): boolean {
  return state !== 'created' && state !== 'exited' && state !== 'dead'
}

/** What containers hold that their leaves do not ask for any more: key → leaf. */
function heldByOthers(
  tree: Tree,
  situations: ReadonlyMap<string, Situation>,
  factsOf: (leaf: Leaf) => ImageFacts | null,
): Map<string, string> {
  const held = new Map<string, string>()
  for (const [name, { live }] of situations) {
    if (live === null) continue
    const leaf = tree.leaves.get(name)
    // One that is down is started again, where nothing says that it stays down.
    const staysDown = leaf === undefined || leaf.kind === 'job' || leaf.suspend || leaf.state === 'stopped'
    if (staysDown && !isUp(live)) continue
    const kept = new Set(leaf === undefined ? [] : exclusivesOfLeaf(leaf, tree, factsOf(leaf)).map(({ key }) => key))
    for (const { key } of exclusivesOfContainer(live)) if (!kept.has(key)) held.set(key, name)
  }
  return held
}
