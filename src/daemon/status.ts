// What a turn knows of a deployment, in the shape that `graft status` shows.

import type { ContainerSet, Leaf } from '../desired/tree.ts'
import type { ObservedContainer } from '../plan/observed.ts'
import { situations } from '../plan/situation.ts'
import type { Verdict } from '../plan/verdict.ts'
import type { LastSwap, LeafStatus, RepositoryStatus, RestartStatus, SetStatus, Status } from '../report/status.ts'
import type { Turn } from './reconcile.ts'

export type { LeafStatus, RepositoryStatus, SetStatus, Status }

/** What is known of leaves besides what a turn saw. */
export interface Known {
  /** Leaves a table is working on. */
  readonly busy: ReadonlySet<string>
  /** Health by graft's own probes. */
  readonly probed: ReadonlyMap<string, boolean>
  readonly swaps: ReadonlyMap<string, LastSwap>
  readonly restarts: ReadonlyMap<string, RestartStatus>
}

/** The part of a status that a turn knows. */
export function treeStatus(turn: Turn, known: Known): Pick<Status, 'tree' | 'departed' | 'removalHeld' | 'notes'> {
  const { wish, observed, plan } = turn
  const verdicts = new Map(plan.verdicts.map((verdict) => [verdict.leaf, verdict]))
  const found = situations(wish.tree, observed)
  const live = (name: string) => found.get(name)?.live ?? null
  const ofLeaf = (name: string): LeafStatus[] => {
    const leaf = wish.tree.leaves.get(name)
    const verdict = verdicts.get(name)
    if (leaf === undefined || verdict === undefined) return []
    return [leafStatus(leaf, verdict, live(name), known)]
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
    .map((verdict) => leafStatus(null, verdict, live(verdict.leaf), known))
  return { tree: ofSet(wish.tree.root), departed, removalHeld: plan.removalHeld, notes: plan.notes }
}

function leafStatus(
  leaf: Leaf | null,
  verdict: Verdict,
  live: ObservedContainer | null,
  { busy, probed, swaps, restarts }: Known,
): LeafStatus {
  const { leaf: name } = verdict
  const health = leaf === null ? undefined : probed.get(name)
  const completed = leaf?.kind === 'job' && verdict.kind === 'keep'
  return {
    name,
    kind: leaf?.kind ?? (live?.labels.kind === 'job' ? 'job' : 'container'),
    generation: { wanted: verdict.toGeneration, running: live?.labels.generation ?? null },
    image: live?.labels.image ?? leaf?.spec.image ?? '',
    sync: syncOf(leaf, verdict, busy.has(name)),
    state: completed ? 'completed' : (live?.state ?? 'absent'),
    health: health === undefined ? (live?.health ?? 'none') : health ? 'healthy' : 'unhealthy',
    since: live?.state === 'running' ? live.startedAt : null,
    container: live === null ? null : { id: live.id, name: live.name, commit: live.labels.commit },
    because: verdict.because,
    retryAt: verdict.retryAt,
    lastSwap: swaps.get(name) ?? null,
    restart: restarts.get(name) ?? null,
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
