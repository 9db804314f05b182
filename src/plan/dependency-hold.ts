// Why a leaf that is to be launched has to wait for what it depends on.

import type { Leaf } from '../desired/tree.ts'
import { completedGeneration } from './job-verdict.ts'
import type { PlanInput } from './planning.ts'
import { isUnhealthy, runs } from './planning.ts'
import type { Proposal } from './proposal.ts'
import type { Situation } from './situation.ts'

export interface DependencyView {
  readonly input: PlanInput
  readonly proposals: ReadonlyMap<string, Proposal>
  readonly situations: ReadonlyMap<string, Situation>
}

export interface DependencyHold {
  readonly because: string
  /** The leaf that will get there by itself; null where something must change first. */
  readonly awaits: string | null
}

/** Null where everything is there, or is being made by this plan before this leaf. */
export function waitsFor(leaf: Leaf, view: DependencyView): DependencyHold | null {
  for (const [name, { condition }] of leaf.dependencies) {
    const dependency = view.input.tree.leaves.get(name)
    const proposal = view.proposals.get(name)
    if (dependency === undefined || proposal === undefined) continue
    const { verdict, work } = proposal
    if (view.input.busy.has(name)) return { because: `waits for ${name}`, awaits: name }
    if (dependency.kind === 'job') {
      const done = completedGeneration(name, view.input.tree.name, view.input.observed)
      if (done !== null && done >= dependency.generation) continue
      if (work?.kind === 'swap' || work?.kind === 'steps') continue
      return { because: `waits for the job ${name}: ${verdict.because}`, awaits: work === null ? verdict.awaits : name }
    }
    if (work?.kind === 'pull') return { because: `waits for ${name}, whose image is fetched first`, awaits: name }
    if (work?.kind === 'swap') continue
    const live = view.situations.get(name)?.live ?? null
    if (verdict.kind === 'refuse' || (verdict.kind === 'hold' && !dependency.suspend)) {
      const how = verdict.kind === 'refuse' ? 'refused' : 'held'
      return { because: `depends on ${name}, which is ${how}: ${verdict.because}`, awaits: verdict.awaits }
    }
    if (dependency.state === 'stopped') return { because: `depends on ${name}, which is stopped`, awaits: null }
    if (work?.kind === 'steps') continue
    if (!runs(live)) return { because: `waits until ${name} runs`, awaits: name }
    // In its first run a live container has passed its gate, or it would not have the name; the engine's own first check
    // may be half a minute away. After a restart only the engine knows.
    const starting = dependency.probe === null && live?.health === 'starting' && live.finishedAt !== null
    const healthy = !starting && !isUnhealthy(dependency, live, view.input.probed)
    if (condition === 'service_healthy' && !healthy) return { because: `waits until ${name} is healthy`, awaits: name }
  }
  return null
}
