// Sets that switch together: which leaves belong to one, and when none of them may change because one of them cannot.

import type { ContainerSet, Leaf, Tree } from '../desired/tree.ts'
import type { DependencyHold } from './dependency-hold.ts'
import { completedGeneration } from './job-verdict.ts'
import { isWanted, runs, type PlanInput } from './planning.ts'
import type { Proposal } from './proposal.ts'
import type { Situation } from './situation.ts'
import type { WantedImage } from './wanted-image.ts'

/** Leaf → path of the outermost set around it that says `update: {together: true}`. Leaves of other sets are absent. */
export type TogetherSets = ReadonlyMap<string, string>

/**
 * Sets nested in a set that switches together belong to it. The ingress does not, although it counts to the root: it
 * carries the connections of all of them while they switch.
 */
export function togetherSets(tree: Tree): TogetherSets {
  const found = new Map<string, string>()
  const walk = (set: ContainerSet, outermost: string | null): void => {
    const path = outermost ?? (set.together ? set.path : null)
    for (const name of path === null ? [] : set.leaves) {
      if (path !== null && name !== tree.ingress?.leaf) found.set(name, path)
    }
    for (const inner of set.sets) walk(inner, path)
  }
  walk(tree.root, null)
  return found
}

export interface TogetherView {
  readonly input: PlanInput
  readonly sets: TogetherSets
  /** In launch order. */
  readonly proposals: ReadonlyMap<string, Proposal>
  readonly situations: ReadonlyMap<string, Situation>
  readonly findImage: (leaf: Leaf) => WantedImage
}

/**
 * Whether the leaf becomes something that it was not: another generation, or other values of this host. A container that
 * is made anew under a generation that passed its gate before is a repair, and so is one that somebody asked for.
 */
export function isChange(
  leaf: Leaf,
  { input, situations, findImage }: Omit<TogetherView, 'sets' | 'proposals'>,
): boolean {
  if (leaf.kind === 'job') {
    const done = completedGeneration(leaf.name, input.tree.name, input.observed)
    return leaf.state === 'running' && (done === null || done < leaf.generation)
  }
  if (leaf.state === 'stopped') return false
  const live = situations.get(leaf.name)?.live ?? null
  return live === null ? !findImage(leaf).proven : !isWanted(live, leaf, input.runDigest(leaf))
}

/** Why the changes of each set have to wait, by the set's path; sets that can change as a whole are absent. */
export function blockedSets(view: TogetherView): Map<string, DependencyHold> {
  const blocked = new Map<string, DependencyHold>()
  for (const [name, proposal] of view.proposals) {
    const set = view.sets.get(name)
    const leaf = view.input.tree.leaves.get(name)
    if (set === undefined || leaf === undefined || !isInTheWay(proposal, view.situations.get(name))) continue
    // What a person has to put right is told before what passes by itself.
    const known = blocked.get(set)
    if (known !== undefined && (known.awaits === null || awaitsOf(proposal, view) !== null)) continue
    if (!isChange(leaf, view)) continue
    blocked.set(set, {
      because: reason(proposal, view),
      awaits: awaitsOf(proposal, view),
      retryAt: proposal.verdict.retryAt,
    })
  }
  return blocked
}

/** A member that this plan gives no new container, although it may want one. */
function isInTheWay({ verdict, work }: Proposal, situation: Situation | undefined): boolean {
  if (work?.kind === 'swap') return false
  if (work?.kind === 'pull' || ['hold', 'refuse', 'recover'].includes(verdict.kind)) return true
  // One that the engine could not remove is made anew by the next turn.
  return situation?.live?.state === 'dead' || situation?.live?.state === 'removing'
}

function awaitsOf({ verdict, work }: Proposal, { input }: TogetherView): string | null {
  if (input.busy.has(verdict.leaf) || work?.kind === 'pull') return verdict.leaf
  return verdict.kind === 'recover' || verdict.kind === 'restore' ? verdict.leaf : verdict.awaits
}

function reason({ verdict, work }: Proposal, { input }: TogetherView): string {
  const start = `switches together with ${verdict.leaf}, which`
  if (input.busy.has(verdict.leaf)) return `${start} is being worked on`
  if (work?.kind === 'pull') return `switches together with ${verdict.leaf}, whose image is fetched first`
  if (verdict.kind === 'refuse') return `${start} is refused: ${verdict.because}`
  return verdict.kind === 'hold'
    ? `${start} is held: ${verdict.because}`
    : `${start} is mended first: ${verdict.because}`
}

/**
 * Leaves whose candidate goes, although it is what is wanted: an earlier turn ended while it staged several members of
 * their set and before it had renamed any, so that they start over as one. Where a rename had been done every member had
 * passed its gate, and each goes on.
 */
export function stagedAnew({ input, sets, situations, findImage }: Omit<TogetherView, 'proposals'>): Set<string> {
  const members = new Map<string, Leaf[]>()
  for (const [name, set] of sets) {
    const leaf = input.tree.leaves.get(name)
    if (leaf !== undefined) members.set(set, [...(members.get(set) ?? []), leaf])
  }
  const anew = new Set<string>()
  for (const leaves of members.values()) {
    const staged = leaves.filter(({ name, kind }) => {
      const candidate = situations.get(name)?.candidate ?? null
      return kind === 'container' && (runs(candidate) || candidate?.state === 'paused')
    })
    if (staged.length === 0 || leaves.some(({ name }) => (situations.get(name)?.retired.length ?? 0) > 0)) continue
    const changing = leaves.filter((leaf) => isChange(leaf, { input, situations, findImage }))
    if (changing.length > 1) for (const { name } of staged) anew.add(name)
  }
  return anew
}
