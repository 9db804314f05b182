// Which swaps belong into one table: a leaf that joins another's namespace goes with it, an exclusive thing that one leaf
// gives up and another takes moves in one step, and a set that switches together does so. What would then wait for
// itself goes into the same table.

import type { Tree } from '../desired/tree.ts'
import { exclusivesOfContainer, exclusivesOfLeaf } from './exclusive.ts'
import type { Removal, Swap, SwapGroup } from './swap-table.ts'
import { circlesIn } from './circles.ts'
import { joinedLeaves } from './swap-order.ts'

/** Groups in the order of their first member; `swaps` come in launch order. `together`: leaf → what it switches with. */
export function groupSwaps(
  swaps: readonly Swap[],
  removals: readonly Removal[],
  tree: Tree,
  together: ReadonlyMap<string, string>,
): SwapGroup[] {
  const leaders = new Map<string, string>()
  const leaderOf = (name: string): string => {
    const next = leaders.get(name)
    return next === undefined || next === name ? name : leaderOf(next)
  }
  const unite = (a: string, b: string) => leaders.set(leaderOf(b), leaderOf(a))
  const changing = new Set([...swaps.map(({ leaf }) => leaf.name), ...removals.map(({ situation }) => situation.leaf)])

  for (const { leaf } of swaps) {
    for (const joined of joinedLeaves(leaf)) if (changing.has(joined)) unite(joined, leaf.name)
  }
  const firstOf = new Map<string, string>()
  for (const { leaf } of swaps) {
    const key = together.get(leaf.name)
    if (key === undefined) continue
    const first = firstOf.get(key)
    if (first === undefined) firstOf.set(key, leaf.name)
    else unite(first, leaf.name)
  }
  const given = givenUp(swaps, removals, tree)
  const handed = new Set<string>()
  for (const { leaf, image } of swaps) {
    for (const { key } of exclusivesOfLeaf(leaf, tree, image.facts)) {
      const holder = given.get(key)
      if (holder === undefined || holder === leaf.name) continue
      unite(holder, leaf.name)
      handed.add(leaf.name).add(holder)
    }
  }

  // A leaf between two members of a group, which one of them needs and which needs the other, cannot come before or after.
  const needs = new Map<string, Set<string>>()
  const swapped = new Set(swaps.map(({ leaf }) => leaf.name))
  for (const { leaf } of swaps) {
    const leader = leaderOf(leaf.name)
    const others = needs.get(leader) ?? new Set()
    for (const name of leaf.dependencies.keys()) if (swapped.has(name)) others.add(leaderOf(name))
    needs.set(leader, others)
  }
  for (const [first = '', ...others] of circlesIn(needs.keys(), (leader) => needs.get(leader) ?? [])) {
    for (const other of others) unite(first, other)
  }

  const groups = new Map<string, { swaps: Swap[]; removals: Removal[] }>()
  const groupOf = (name: string) => {
    const leader = leaderOf(name)
    const group = groups.get(leader) ?? { swaps: [], removals: [] }
    groups.set(leader, group)
    return group
  }
  for (const swap of swaps) groupOf(swap.leaf.name).swaps.push(handed.has(swap.leaf.name) ? stopFirst(swap) : swap)
  for (const removal of removals) groupOf(removal.situation.leaf).removals.push(removal)
  return [...groups.values()]
}

function stopFirst(swap: Swap): Swap {
  if (swap.order.kind === 'stop-first') return swap
  return { ...swap, order: { kind: 'stop-first', because: 'something exclusive moves between leaves' } }
}

/** What live containers hold and their leaves no longer ask for: key → leaf. */
function givenUp(swaps: readonly Swap[], removals: readonly Removal[], tree: Tree): Map<string, string> {
  const given = new Map<string, string>()
  for (const { leaf, live, image } of swaps) {
    if (live === null) continue
    const kept = new Set(exclusivesOfLeaf(leaf, tree, image.facts).map(({ key }) => key))
    for (const { key } of exclusivesOfContainer(live)) if (!kept.has(key)) given.set(key, leaf.name)
  }
  for (const { situation } of removals) {
    if (situation.live === null) continue
    for (const { key } of exclusivesOfContainer(situation.live)) given.set(key, situation.leaf)
  }
  return given
}
