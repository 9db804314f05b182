// What `graft status` shows, as data: the tree with what runs, and how graft itself is doing.

import type { Availability, Drain } from '../apply/outcome.ts'
import type { Problem } from '../desired/problem.ts'
import type { ContainerState } from '../plan/observed.ts'
import type { Plan } from '../plan/verdict.ts'
import type { CommitFacts } from '../repository/snapshot.ts'

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
  /** The last time that one container took over from another; null where none is known. */
  readonly lastSwap: LastSwap | null
  /** The last time that somebody asked this graft for a restart; null where nobody did. */
  readonly restart: RestartStatus | null
}

export interface LastSwap {
  /** Milliseconds since 1970 at which it was done. */
  readonly at: number
  /** Generations. */
  readonly from: number
  readonly to: number
  readonly order: 'start-first' | 'stop-first'
  /** Milliseconds until the new one had passed its gate. */
  readonly gate: number | null
  /** Milliseconds without a container that had passed its gate; null where it was not measured. */
  readonly gap: number | null
  readonly drain: Drain | null
  /** Only where it was asked for. */
  readonly availability: Availability | null
}

export interface RestartStatus {
  /** Milliseconds since 1970 at which it was asked for. */
  readonly at: number
  /** `left`: not done, because one before it failed or because there is nothing to restart any more. */
  readonly state: 'asked' | 'done' | 'failed' | 'left'
  /** Why it failed or was left. */
  readonly message: string | null
}
