// The table of a swap: everything slow first, then what must stop, then what must prove itself, then all names at once.
// One leaf is the usual case; leaves that hand an exclusive thing over, or live in one another's namespace, share one.

import type { Tree } from '../desired/tree.ts'
import type { Work } from './proposal.ts'
import type { ContainerRef, Step, Table } from './step.ts'
import { carriesIngress, follow } from './ingress-steps.ts'
import { bringUp, markJobDone, newCandidate, refOf, retire, stage, staysDown, step, takeDown } from './steps.ts'
import { switchOver } from './switch-over.ts'
import { runs } from './planning.ts'
import { joinedLeaves } from './swap-order.ts'
import { swapPhases } from './swap-phases.ts'

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
  const phases = swapPhases(group.swaps, tree)
  const up = (swap: Swap) => comesUp(swap, newCandidate(prefix, swap.leaf.name), group, tree)
  const over = switchOver(
    members.map(({ swap: { leaf, live, order }, candidate }) => ({ leaf, candidate, live, order: order.kind })),
    tree,
  )
  const [alone = null] = group.swaps.length === 1 ? group.swaps : []
  const leaves = [...group.swaps.map(({ leaf }) => leaf.name), ...group.removals.map(({ situation }) => situation.leaf)]
  return {
    id: leaves.join('+'),
    leaves,
    after,
    preemptible: group.swaps.every(({ leaf }) => leaf.kind === 'container'),
    prepare: [
      ...members.flatMap(({ swap, candidate }) =>
        stage(swap.leaf, swap.image, candidate, swap.failed, followersOf(swap, group)),
      ),
      ...phases.first.flatMap(up),
      ...group.removals.flatMap(removedGoesDown),
      ...phases.last.toReversed().flatMap((swap) => liveGoesDown(swap, prefix)),
      ...phases.last.flatMap((swap, index) => [...(index === 0 ? [] : liveIsDown(swap)), ...up(swap)]),
      ...stillUp([...phases.first, ...phases.last], prefix),
    ],
    commit: [...(alone?.leaf.kind === 'job' ? [markJobDone(tree.name, alone.leaf)] : []), ...over.commit],
    cleanup: [
      ...over.cleanup,
      ...removeGone(
        group.removals.map(({ situation }) => situation),
        tree,
      ),
    ],
  }
}

/** What is made anew only to live in its namespace, or in that of one of these. */
function followersOf(swap: Swap, { swaps }: SwapGroup): string[] {
  if (swap.follows === true) return []
  const found: string[] = []
  const owners = new Set([swap.leaf.name])
  // In launch order, in which an owner comes before what joins it.
  for (const { leaf, follows } of swaps) {
    if (follows !== true || !joinedLeaves(leaf).some((name) => owners.has(name))) continue
    owners.add(leaf.name)
    found.push(leaf.name)
  }
  return found
}

/** Those that passed their gates while others still came up; the last one has only just done so. */
function stillUp(inOrder: readonly Swap[], prefix: string): Step[] {
  const earlier = inOrder.slice(0, -1).filter(({ leaf }) => leaf.kind === 'container')
  return earlier.map(({ leaf: { name } }) =>
    step({ do: 'still-up', leaf: name, container: newCandidate(prefix, name) }),
  )
}

/**
 * A job among others is marked as done as soon as it is: what it did stays done when another member fails its gate. A
 * job by itself is marked in the commit, which nothing interrupts.
 */
function comesUp(swap: Swap, candidate: ContainerRef, group: SwapGroup, tree: Tree): Step[] {
  const steps = bringUp(swap.leaf, candidate)
  return swap.leaf.kind === 'job' && group.swaps.length > 1 ? [...steps, markJobDone(tree.name, swap.leaf)] : steps
}

function liveGoesDown({ leaf, live, order }: Swap, prefix: string): Step[] {
  if (live === null || leaf.kind === 'job' || order.kind === 'start-first') return []
  return runs(live) || live.state === 'paused'
    ? takeDown(leaf.name, live, newCandidate(prefix, leaf.name))
    : staysDown(leaf.name, live)
}

/** Another one's gate lies between its stop and the start of its successor: somebody may have started it meanwhile. */
function liveIsDown({ leaf, live, order }: Swap): Step[] {
  if (live === null || leaf.kind === 'job' || order.kind === 'start-first') return []
  return [step({ do: 'keep-down', container: refOf(leaf.name, live) })]
}

function removedGoesDown({ situation }: Removal): Step[] {
  const { leaf, live } = situation
  if (live === null) return []
  return runs(live) || live.state === 'paused' ? takeDown(leaf, live, null) : staysDown(leaf, live)
}

/** Leaves that are gone, and then their ports. */
export function removeGone(gone: readonly Removal['situation'][], tree: Tree): Step[] {
  const follows = tree.ingress !== null && gone.some(({ live }) => carriesIngress(null, live))
  return [...gone.flatMap(removeAll), ...(follows ? [follow([])] : [])]
}

/** Every container of a leaf that is gone, candidates and failures first. */
function removeAll(situation: Removal['situation']): Step[] {
  const { leaf, candidate, failed, retired, live } = situation
  const others = [candidate, failed, ...retired].filter((container) => container !== null)
  return [...others.flatMap((container) => retire(leaf, container, 0)), ...(live === null ? [] : retire(leaf, live, 0))]
}
