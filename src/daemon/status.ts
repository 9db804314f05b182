// What a turn knows of a deployment, in the shape that `graft status` shows.

import type { ContainerSet, Leaf } from '../desired/tree.ts'
import type { ObservedContainer } from '../plan/observed.ts'
import { situations } from '../plan/situation.ts'
import type { Verdict } from '../plan/verdict.ts'
import type { LeafStatus, RepositoryStatus, SetStatus, Status } from '../report/status.ts'
import type { Turn } from './reconcile.ts'

export type { LeafStatus, RepositoryStatus, SetStatus, Status }

/** The part of a status that a turn knows. `busy`: leaves a table is working on. */
export function treeStatus(
  turn: Turn,
  busy: ReadonlySet<string>,
  probed: ReadonlyMap<string, boolean>,
): Pick<Status, 'tree' | 'departed' | 'removalHeld' | 'notes'> {
  const { wish, observed, plan } = turn
  const verdicts = new Map(plan.verdicts.map((verdict) => [verdict.leaf, verdict]))
  const found = situations(wish.tree, observed)
  const live = (name: string) => found.get(name)?.live ?? null
  const ofLeaf = (name: string): LeafStatus[] => {
    const leaf = wish.tree.leaves.get(name)
    const verdict = verdicts.get(name)
    if (leaf === undefined || verdict === undefined) return []
    return [leafStatus(leaf, verdict, live(name), busy.has(name), probed.get(name))]
  }
  const ofSet = (set: ContainerSet): SetStatus => ({
    name: set.name,
    path: set.path,
    state: set.state,
    suspend: set.suspend,
    sets: set.sets.map(ofSet),
    leaves: set.leaves.flatMap(ofLeaf),
  })
  const departed = plan.verdicts
    .filter(({ set }) => set === null)
    .map((verdict) => leafStatus(null, verdict, live(verdict.leaf), busy.has(verdict.leaf), undefined))
  return { tree: ofSet(wish.tree.root), departed, removalHeld: plan.removalHeld, notes: plan.notes }
}

function leafStatus(
  leaf: Leaf | null,
  verdict: Verdict,
  live: ObservedContainer | null,
  busy: boolean,
  probed: boolean | undefined,
): LeafStatus {
  const completed = leaf?.kind === 'job' && verdict.kind === 'keep'
  return {
    name: verdict.leaf,
    kind: leaf?.kind ?? (live?.labels.kind === 'job' ? 'job' : 'container'),
    generation: { wanted: verdict.toGeneration, running: live?.labels.generation ?? null },
    image: live?.labels.image ?? leaf?.spec.image ?? '',
    sync: syncOf(leaf, verdict, busy),
    state: completed ? 'completed' : (live?.state ?? 'absent'),
    health: probed === undefined ? (live?.health ?? 'none') : probed ? 'healthy' : 'unhealthy',
    since: live?.state === 'running' ? live.startedAt : null,
    container: live === null ? null : { id: live.id, name: live.name, commit: live.labels.commit },
    because: verdict.because,
    retryAt: verdict.retryAt,
  }
}

function syncOf(leaf: Leaf | null, verdict: Verdict, busy: boolean): LeafStatus['sync'] {
  if (busy) return 'changing'
  if (leaf === null) return 'leaving'
  if (leaf.suspend) return 'suspended'
  switch (verdict.kind) {
    case 'keep':
    case 'move':
      return 'synced'
    case 'hold':
      return 'held'
    case 'refuse':
      return 'refused'
    default:
      return 'out-of-sync'
  }
}
