// Why a leaf that is to be launched has to wait for what it depends on.

import type { Leaf } from '../desired/tree.ts'
import { completedGeneration } from './job-verdict.ts'
import type { PlanInput } from './planning.ts'
import { isUnhealthy, runs } from './planning.ts'
import type { Proposal } from './proposal.ts'
import type { Situation } from './situation.ts'
import { joinedLeaves } from './swap-order.ts'

export interface DependencyView {
  readonly input: PlanInput
  readonly proposals: ReadonlyMap<string, Proposal>
  readonly situations: ReadonlyMap<string, Situation>
  /** It is started where it is, and nothing of it runs: what it depends on must be healthy, and not only be mended first. */
  readonly comesBack?: boolean
}

export interface DependencyHold {
  readonly because: string
  /** The leaf that will get there by itself; null where something must change first. */
  readonly awaits: string | null
  /** Milliseconds since 1970 at which it ends by itself, where that is known. */
  readonly retryAt?: number | null
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
      // What comes back is what it was, and so may be the run that it has behind it.
      if (done !== null && (done >= dependency.generation || view.comesBack === true)) continue
      if (work?.kind === 'swap') continue
      return { because: `waits for the job ${name}: ${verdict.because}`, awaits: work === null ? verdict.awaits : name }
    }
    if (work?.kind === 'pull') return { because: `waits for ${name}, whose image is fetched first`, awaits: name }
    if (work?.kind === 'swap') continue
    const live = view.situations.get(name)?.live ?? null
    // What comes back is what it was, and so may be what it depends on.
    const goesOn = view.comesBack === true && runs(live)
    if (!goesOn && (verdict.kind === 'refuse' || (verdict.kind === 'hold' && !dependency.suspend))) {
      const how = verdict.kind === 'refuse' ? 'refused' : 'held'
      return { because: `depends on ${name}, which is ${how}: ${verdict.because}`, awaits: verdict.awaits }
    }
    // A job may be what must not happen while an older generation still runs; and who joins a namespace was judged by
    // the generation that the tree declares.
    const exact = view.comesBack !== true && (leaf.kind === 'job' || joinedLeaves(leaf).includes(name))
    if (dependency.suspend && exact && live !== null && live.labels.generation !== dependency.generation) {
      const why = `depends on ${name}, which is suspended and still runs generation ${live.labels.generation}`
      return { because: why, awaits: null }
    }
    if (dependency.state === 'stopped') return { because: `depends on ${name}, which is stopped`, awaits: null }
    // What an earlier turn left half done may end with the older generation, or with none.
    if (work?.kind === 'steps' && live?.labels.generation !== dependency.generation) {
      return { because: `waits for ${name}: ${verdict.because}`, awaits: name }
    }
    const isGated = work?.kind === 'steps' && (work.launches === true || verdict.kind === 'recover')
    if (isGated || (work?.kind === 'steps' && view.comesBack !== true)) continue
    if (!runs(live)) return { because: `waits until ${name} runs`, awaits: name }
    // In its first run a live container has passed its gate, or it would not have the name; the engine's own first check
    // may be half a minute away. After a restart only the engine knows.
    const starting = dependency.probe === null && live?.health === 'starting' && live.finishedAt !== null
    const healthy = !starting && !isUnhealthy(dependency, live, view.input.probed)
    if (condition === 'service_healthy' && !healthy) return { because: `waits until ${name} is healthy`, awaits: name }
  }
  return null
}
