// What a plan says: one verdict and one reason per leaf, and the tables that carry it out.

import type { RemovalHeld } from './removal-guard.ts'
import type { Table } from './step.ts'

export type VerdictKind =
  | 'keep'
  | 'create'
  | 'replace'
  /** Drift repaired in place: unpause, start, limits, networks, a name. */
  | 'restore'
  /** The file went to another set; nothing that runs changes. */
  | 'move'
  /** A job that has not completed for this generation. */
  | 'run'
  | 'remove'
  /** Stopped because its set says `state: stopped`. */
  | 'stop'
  /** Finishes or takes back what an earlier turn left half done; the next turn plans anew. */
  | 'recover'
  /** Left alone for now, and why: failed before, suspended, waits for a dependency, backs off, is being worked on. */
  | 'hold'
  /** Not allowed: ledger or policy. */
  | 'refuse'

/** One field that differs, in Compose's words; values are ready to show and never secrets. */
export interface FieldChange {
  readonly field: string
  /** null: not there. */
  readonly from: string | null
  readonly to: string | null
}

export interface Verdict {
  readonly leaf: string
  /** Path of the set; of a removed leaf null. */
  readonly set: string | null
  readonly kind: VerdictKind
  /** One clause without a full stop: `image 1.4 → 1.5`, `someone paused it`. */
  readonly because: string
  readonly changes: readonly FieldChange[]
  readonly fromGeneration: number | null
  readonly toGeneration: number | null
  /**
   * For how long nobody answers for this leaf when it is swapped: 0 with start-first; else what was measured the last
   * time, or null where nothing is known yet. null (the whole) where nothing is swapped.
   */
  readonly gap: { readonly milliseconds: number | null; readonly because: string } | null
  /** Only where two containers of the leaf meet. */
  readonly order: { readonly kind: 'start-first' | 'stop-first'; readonly because: string } | null
  /** What the new container asks for that the old one did not have, for example `privileged`, `pid: host`. */
  readonly gains: readonly string[]
  /** Things worth knowing that change nothing: no health check, an engine that drops a field. */
  readonly notes: readonly string[]
  /** Milliseconds since 1970 at which a hold ends by itself; null where it does not, or there is none. */
  readonly retryAt: number | null
  /** The leaf that must become healthy, or end, before this one goes on; null for none. */
  readonly awaits: string | null
}

export interface Plan {
  readonly deployment: string
  readonly commit: string | null
  /** Leaves of the tree in path order, then those that are removed, by name. */
  readonly verdicts: readonly Verdict[]
  readonly tables: readonly Table[]
  /** Set where more would be removed than may go by itself: nothing is removed until somebody says that it is meant. */
  readonly removalHeld: RemovalHeld | null
  /** Things that concern no single leaf: a network that cannot change in place. */
  readonly notes: readonly string[]
}

/** Whether carrying the plan out would change anything on the engine. */
export function changesAnything(plan: Plan): boolean {
  return plan.tables.length > 0
}
