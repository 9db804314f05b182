// What the daemon tells while it works; whoever logs it finds the words.

import type { Problem } from '../desired/problem.ts'
import type { OutcomeRecord } from '../report/outcome-record.ts'
import type { CommitFacts } from '../repository/snapshot.ts'
import type { HealthTurn } from './health-news.ts'
import type { RemovalHeld } from '../plan/removal-guard.ts'
import type { Turn } from './reconcile.ts'

export type News =
  | { readonly kind: 'commit'; readonly commit: CommitFacts }
  /** `not-admitted`: its signatures, or what was accepted before it, stand against it. */
  | {
      readonly kind: 'unreadable' | 'not-admitted'
      readonly commit: CommitFacts
      readonly problems: readonly Problem[]
      readonly kept: string | null
    }
  | { readonly kind: 'host-problems'; readonly problems: readonly Problem[] }
  | { readonly kind: 'problems'; readonly problems: readonly Problem[] }
  | { readonly kind: 'repository-fault'; readonly message: string; readonly remedy: string; readonly retryIn: number }
  | { readonly kind: 'repository-back' }
  /** What came of a commit; told again where later changes make it better or worse. */
  | { readonly kind: 'outcome'; readonly record: OutcomeRecord }
  /** Outcomes cannot be noted, or not be pushed; nothing else is delayed by that. */
  | { readonly kind: 'notes-fault'; readonly message: string; readonly remedy: string; readonly retryIn: number }
  | { readonly kind: 'notes-back' }
  | { readonly kind: 'engine-fault'; readonly message: string; readonly remedy: string; readonly retryIn: number }
  | { readonly kind: 'engine-back' }
  /** Leaves that newly wait or are refused, and why; told once for each reason. */
  | { readonly kind: 'held'; readonly leaf: string; readonly generation: number | null; readonly because: string }
  /** What is live became unhealthy, or is healthy again. */
  | (HealthTurn & { readonly kind: 'health' })
  /** Somebody asked for new containers of these leaves. */
  | { readonly kind: 'restart'; readonly leaves: readonly string[] }
  | { readonly kind: 'removals-approved'; readonly held: RemovalHeld; readonly commit: string }
  | { readonly kind: 'removals-held'; readonly held: RemovalHeld; readonly commit: string | null }
  | { readonly kind: 'turn'; readonly turn: Turn; readonly milliseconds: number }
