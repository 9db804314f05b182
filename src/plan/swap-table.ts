// The table of a swap: everything slow first, then what must stop, then what must prove itself, then all names at once.
// One leaf is the usual case; leaves that hand an exclusive thing over, or live in one another's namespace, share one.

import type { Tree } from '../desired/tree.ts'
import type { Work } from './proposal.ts'
import type { ContainerRef, Step, Table } from './step.ts'
import { bringUp, markJobDone, newCandidate, retire, stage, staysDown, step, switchNames, takeDown } from './steps.ts'
import { runs } from './planning.ts'

export type Swap = Extract<Work, { kind: 'swap' }>
export type Removal = Extract<Work, { kind: 'remove' }>

export interface SwapGroup {
  /** In launch order: what others depend on, or join, comes first. */
  readonly swaps: readonly Swap[]
  /** Leaves that are gone and hold something that a swap needs. */
  readonly removals: readonly Removal[]
}

export function swapTable(group: SwapGroup, tree: Tree, after: readonly string[]): Table {
  const { prefix } = tree
  const members = group.swaps.map((swap) => ({ swap, candidate: newCandidate(prefix, swap.leaf.name) }))
  const downFirst = members.filter(({ swap }) => swap.order.kind === 'stop-first')
  const upFirst = members.filter(({ swap }) => swap.order.kind === 'start-first')
  const leaves = [...group.swaps.map(({ leaf }) => leaf.name), ...group.removals.map(({ situation }) => situation.leaf)]
  return {
    id: leaves.join('+'),
    leaves,
    after,
    preemptible: group.swaps.every(({ leaf }) => leaf.kind === 'container'),
    prepare: [
      ...members.flatMap(({ swap, candidate }) => stage(swap.leaf, swap.image, candidate, swap.failed)),
      ...upFirst.flatMap(({ swap, candidate }) => bringUp(swap.leaf, candidate)),
      ...group.removals.flatMap(removedGoesDown),
      ...downFirst.toReversed().flatMap(({ swap }) => liveGoesDown(swap)),
      ...downFirst.flatMap(({ swap, candidate }) => bringUp(swap.leaf, candidate)),
    ],
    commit: members.flatMap(({ swap, candidate }) => commitOf(swap, candidate, tree)),
    cleanup: [
      ...members.flatMap(({ swap }) => cleanupOf(swap)),
      ...group.removals.flatMap(({ situation }) => removeAll(situation)),
    ],
  }
}

function liveGoesDown({ leaf, live }: Swap): Step[] {
  if (live === null || leaf.kind === 'job') return []
  return runs(live) || live.state === 'paused' ? takeDown(leaf.name, live) : staysDown(leaf.name, live)
}

function removedGoesDown({ situation }: Removal): Step[] {
  const { leaf, live } = situation
  if (live === null) return []
  return runs(live) || live.state === 'paused' ? takeDown(leaf, live) : staysDown(leaf, live)
}

function commitOf(swap: Swap, candidate: ContainerRef, tree: Tree): Step[] {
  const names = switchNames(swap.leaf, tree.prefix, candidate, swap.live)
  return swap.leaf.kind === 'job' ? [markJobDone(tree.name, swap.leaf), ...names] : names
}

function cleanupOf({ leaf, live, order }: Swap): Step[] {
  const tag = leaf.kind === 'container' ? [step({ do: 'tag-image', leaf: leaf.name })] : []
  if (live === null) return tag
  const stopped = order.kind === 'stop-first' ? { ...live, state: 'exited' as const } : live
  return [...tag, ...retire(leaf.name, stopped, leaf.update.drain)]
}

/** Every container of a leaf that is gone, candidates and failures first. */
export function removeAll(situation: Removal['situation']): Step[] {
  const { leaf, candidate, failed, retired, live } = situation
  const others = [candidate, failed, ...retired].filter((container) => container !== null)
  return [...others.flatMap((container) => retire(leaf, container, 0)), ...(live === null ? [] : retire(leaf, live, 0))]
}
