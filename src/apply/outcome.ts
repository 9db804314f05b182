// How a table ended, and why it did not go through.

import type { Table } from '../plan/step.ts'

/** The spec of a leaf is to blame: it exited, never got healthy, or could not be started. Kept as NAME.failed. */
export class SpecFailure extends Error {
  readonly leaf: string
  /** Last lines of the container's log, oldest first. */
  readonly log: readonly string[]
  constructor(leaf: string, message: string, log: readonly string[]) {
    super(message)
    this.name = 'SpecFailure'
    this.leaf = leaf
    this.log = log
  }
}

/** A newer commit, or the end of graft, stopped a table that was waiting. Nobody is to blame. */
export class Superseded extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'Superseded'
  }
}

export type Outcome =
  | { readonly kind: 'done' }
  /** A spec is to blame. */
  | { readonly kind: 'failed'; readonly leaf: string; readonly message: string; readonly log: readonly string[] }
  /**
   * Registry, disk, network or engine; tried again. `replan`: at once, because the engine looked different from what was
   * planned, or could not be reached and the next look will tell when it is back.
   */
  | { readonly kind: 'fault'; readonly message: string; readonly remedy: string; readonly replan: boolean }
  | { readonly kind: 'superseded'; readonly message: string }

export interface TableResult {
  readonly table: Table
  readonly outcome: Outcome
  /** Undo and cleanup steps that failed; the next turn finds what they left. */
  readonly leftovers: readonly string[]
  readonly startedAt: number
  readonly endedAt: number
  /** Milliseconds a gate or a job took, by leaf. */
  readonly gates: ReadonlyMap<string, number>
  /** How the old container of a leaf was let go, by leaf. */
  readonly drains: ReadonlyMap<string, Drain>
  /** What played clients saw of a leaf's published port during the swap, by leaf; only where it was asked for. */
  readonly availability: ReadonlyMap<string, Availability>
  /** Milliseconds for which a stop-first leaf had no container that had passed its gate, by leaf. */
  readonly gaps: ReadonlyMap<string, number>
}

/** `idle`: its last connection had ended. `time`: the drain time was over first. `closing`: graft was told to end. */
export interface Drain {
  readonly how: 'idle' | 'time' | 'closing'
  readonly milliseconds: number
  /** Connections still open at its end; null where they cannot be counted from here. */
  readonly open: number | null
}

export interface Availability {
  /** `0.0.0.0:8774`, as published. */
  readonly port: string
  readonly tried: number
  readonly lost: number
  /** Milliseconds between two successes that lie furthest apart. */
  readonly longestPause: number
}
