// What came of a commit on one host, as data: the second part of the note on that commit.

import type { Availability } from '../apply/outcome.ts'

/**
 * `deployed`: what runs agrees with the commit, or with all of it that may be done now. `failed`: leaves failed their
 * gate, their job or their start, and run as before. `refused`: the commit does not read, is not signed as asked, or
 * ledger or policy refuse leaves of it. `superseded`: a newer commit came before it was done.
 */
export type OutcomeResult = 'deployed' | 'failed' | 'refused' | 'superseded'

export interface OutcomeRecord {
  readonly format: 1
  readonly host: string
  readonly deployment: string
  /** 40 hex digits. */
  readonly commit: string
  readonly result: OutcomeResult
  /** Milliseconds since 1970 at which it was known. */
  readonly at: number
  /** Milliseconds from the first look at the commit to its outcome. */
  readonly milliseconds: number
  /** Leaves that changed or should have. */
  readonly leaves: readonly LeafOutcome[]
  /** Why it was refused, one line each: `web/hello.yaml:6: generation 1 of hello already means …`. */
  readonly problems: readonly string[]
}

export interface LeafOutcome {
  readonly leaf: string
  readonly result:
    | 'created'
    | 'replaced'
    | 'restored'
    | 'moved'
    | 'ran'
    | 'stopped'
    | 'removed'
    | 'failed'
    | 'held'
    | 'refused'
  /** Generations; null where there was, or is, none. */
  readonly from: number | null
  readonly to: number | null
  readonly order: 'start-first' | 'stop-first' | null
  /** Milliseconds. */
  readonly gate: number | null
  readonly gap: number | null
  readonly availability: Availability | null
  /** Why it failed, is held or refused; null where all is well. */
  readonly message: string | null
}
