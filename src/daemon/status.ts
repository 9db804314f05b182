// What `graft status` shows, as data: the tree with what runs, and how graft itself is doing.

import type { Problem } from '../desired/problem.ts'
import type { ContainerSet, Leaf } from '../desired/tree.ts'
import type { ContainerState, ObservedContainer } from '../plan/observed.ts'
import type { Plan, Verdict } from '../plan/verdict.ts'
import type { CommitFacts } from '../repository/snapshot.ts'
import type { Turn } from './reconcile.ts'

export interface Status {
  readonly deployment: string | null
  readonly repository: RepositoryStatus
  readonly engine: { readonly url: string; readonly reachable: boolean; readonly message: string | null }
  /** The commit whose tree is applied; older than the tip when the tip does not read. */
  readonly commit: CommitFacts | null
  /** Of the tip, or of the host's own files. */
  readonly problems: readonly Problem[]
  /** The daemon that answered; null where the command looked for itself. */
  readonly daemon: { readonly pid: number; readonly since: number } | null
  /** Null before the first look at the engine. */
  readonly tree: SetStatus | null
  /** Leaves that are gone from the tree and still there on the engine. */
  readonly departed: readonly LeafStatus[]
  readonly removalHeld: Plan['removalHeld']
  readonly notes: readonly string[]
}

export interface RepositoryStatus {
  readonly description: string
  readonly tip: CommitFacts | null
  /** Milliseconds since 1970 of the last look that went through. */
  readonly seenAt: number | null
  readonly fault: { readonly message: string; readonly remedy: string } | null
}

export interface SetStatus {
  readonly name: string
  readonly path: string
  readonly state: 'running' | 'stopped'
  readonly suspend: boolean
  readonly sets: readonly SetStatus[]
  readonly leaves: readonly LeafStatus[]
}

export interface LeafStatus {
  readonly name: string
  readonly kind: 'container' | 'job'
  readonly generation: { readonly wanted: number | null; readonly running: number | null }
  /** Authored reference of what runs, or of what is wanted where nothing runs. */
  readonly image: string
  readonly sync: 'synced' | 'changing' | 'out-of-sync' | 'held' | 'refused' | 'suspended' | 'leaving'
  readonly state: ContainerState | 'absent' | 'completed'
  readonly health: 'none' | 'starting' | 'healthy' | 'unhealthy'
  /** Milliseconds since 1970 at which the container was started; null where it does not run. */
  readonly since: number | null
  readonly container: { readonly id: string; readonly name: string; readonly commit: string } | null
  /** The verdict's reason. */
  readonly because: string
  readonly retryAt: number | null
}

/** The part of a status that a turn knows. `busy`: leaves a table is working on. */
export function treeStatus(
  turn: Turn,
  busy: ReadonlySet<string>,
  probed: ReadonlyMap<string, boolean>,
): Pick<Status, 'tree' | 'departed' | 'removalHeld' | 'notes'> {
  const { wish, observed, plan } = turn
  const verdicts = new Map(plan.verdicts.map((verdict) => [verdict.leaf, verdict]))
  const live = new Map<string, ObservedContainer>()
  for (const container of observed.containers) {
    if (container.name === `${wish.tree.prefix}${container.labels.leaf}`) live.set(container.labels.leaf, container)
  }
  const ofLeaf = (name: string): LeafStatus[] => {
    const leaf = wish.tree.leaves.get(name)
    const verdict = verdicts.get(name)
    if (leaf === undefined || verdict === undefined) return []
    return [leafStatus(leaf, verdict, live.get(name) ?? null, busy.has(name), probed.get(name))]
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
    .map((verdict) => leafStatus(null, verdict, live.get(verdict.leaf) ?? null, busy.has(verdict.leaf), undefined))
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
