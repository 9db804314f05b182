// Leaves that the tree no longer has: removed dependents first, kept where they said so, held above the limit.

import type { Tree } from '../desired/tree.ts'
import { liveName } from './names.ts'
import type { ObservedContainer } from './observed.ts'
import type { PlanInput } from './planning.ts'
import { inPlace, WORKED_ON, type Proposal, type Work } from './proposal.ts'
import { recover } from './recover.ts'
import { guardRemovals, heldWords, type RemovalHeld } from './removal-guard.ts'
import type { Situation } from './situation.ts'
import { refOf, step } from './steps.ts'
import type { Verdict } from './verdict.ts'

export interface RemovalPlan {
  readonly proposals: readonly Proposal[]
  readonly held: RemovalHeld | null
}

export function planRemovals(input: PlanInput, situations: ReadonlyMap<string, Situation>): RemovalPlan {
  const gone = [...situations.values()]
    .filter(({ leaf }) => !input.tree.leaves.has(leaf))
    .toSorted((a, b) => (a.leaf < b.leaf ? -1 : 1))
  const going = gone.filter(({ leaf }) => input.departed.get(leaf)?.prune !== false)
  // Leftovers without a live container (a failed candidate, kept for its log) are no loss and do not count.
  const counted = going.filter(({ live, retired }) => live !== null || retired.length > 0)
  const held = input.removals.confirmed ? null : heldBack(counted, input)
  const proposals = gone.map((situation): Proposal => {
    const { leaf } = situation
    if (input.busy.has(leaf)) return { verdict: verdictOn(situation, 'hold', WORKED_ON), work: null }
    const wait = input.waits.get(leaf)
    if (wait !== undefined && wait.until > input.now)
      return { verdict: { ...verdictOn(situation, 'hold', wait.because), retryAt: wait.until }, work: null }
    if (!going.includes(situation)) {
      const why = 'its file is gone, but it said prune: false'
      return unfinished(situation, input, why) ?? { verdict: verdictOn(situation, 'keep', why), work: null }
    }
    if (held !== null) {
      const why = heldWords(held)
      return unfinished(situation, input, why) ?? { verdict: verdictOn(situation, 'hold', why), work: null }
    }
    const dependencies = input.departed.get(leaf)?.dependencies ?? []
    const work: Work = { kind: 'remove', situation, dependencies }
    return { verdict: verdictOn(situation, 'remove', 'its file is gone'), work }
  })
  return { proposals, held }
}

/** Somebody's approval counts for the containers it was given for, and for no others. */
function heldBack(counted: readonly Situation[], { tree, removals }: PlanInput): RemovalHeld | null {
  const going = counted.map(({ leaf, live, retired }) => ({ leaf, id: (live ?? retired[0])?.id ?? null }))
  const held = guardRemovals({ tree, going, limit: removals.limit })
  const isApproved =
    held !== null && held.ids.length === held.count && held.ids.every((id) => removals.approved?.has(id))
  return isApproved ? null : held
}

/** What stays for now must not stay half swapped: the old container may be down for a candidate that nobody wants now. */
export function unfinished(
  situation: Situation,
  { tree, observed }: Pick<PlanInput, 'tree' | 'observed'>,
  why: string,
): Proposal | null {
  const { name: deployment, prefix, ingress } = tree
  const always = {
    order: 'stop-first',
    drain: 0,
    isMended: false,
    liveRuns: true,
    isJoined: false,
    mustSwitch: false,
  } as const
  const context = {
    deployment,
    prefix,
    ingress,
    wanted: null,
    ...always,
    liveMayStart: mayStart(situation.live, observed),
  }
  const recovery = recover(situation, context)
  if (recovery === null) return renamedBack(situation, tree, why)
  const { because, prepare, commit, cleanup } = recovery
  return {
    verdict: verdictOn(situation, 'recover', `${why}; meanwhile: ${because}`),
    work: { kind: 'steps', leaf: situation.leaf, prepare, commit, cleanup, preemptible: false },
  }
}

/** The container in whose namespace it lived may be gone with a swap of another leaf; then nothing starts it again. */
function mayStart(live: ObservedContainer | null, observed: PlanInput['observed']): boolean {
  if (live === null) return true
  const { network_mode, pid, ipc } = live.running
  return [network_mode, pid, ipc].every((mode) => {
    const owner = mode?.startsWith('container:') === true ? mode.slice('container:'.length) : null
    return owner === null || observed.containers.some(({ id }) => id === owner)
  })
}

/** It stays under its own name. */
function renamedBack(situation: Situation, tree: Tree, why: string): Proposal | null {
  const { leaf, live } = situation
  const name = liveName(tree.prefix, leaf)
  if (live === null || live.name === name || live.labels.leaf !== leaf || live.labels.adopted !== undefined) return null
  const because = `${why}; meanwhile: someone renamed it to ${live.name}`
  const steps = [step({ do: 'rename', container: refOf(leaf, live), to: name })]
  return { verdict: verdictOn(situation, 'recover', because), work: inPlace(leaf, steps) }
}

function verdictOn(situation: Situation, kind: Verdict['kind'], because: string): Verdict {
  return {
    leaf: situation.leaf,
    set: null,
    kind,
    because,
    changes: [],
    fromGeneration: situation.live?.labels.generation ?? null,
    toGeneration: null,
    gap: null,
    order: null,
    gains: [],
    notes: [],
    retryAt: null,
    awaits: null,
  }
}
