// What `graft history` shows, as data: the commits that touched a leaf, a set or the whole deployment, newest first.

import type { CommitFacts } from '../repository/snapshot.ts'
import type { OutcomeRecord } from './outcome-record.ts'

/** What one commit did to one leaf, against its first parent. */
export interface LeafTouch {
  readonly leaf: string
  /** Path of the set it lies in, or lay in where it went. */
  readonly set: string
  /** Below the deployment's folder. */
  readonly file: string
  /** Line of `generation:` in the file, from 1. */
  readonly line: number
  /** Generations; null where it was not there before, or is no longer. */
  readonly from: number | null
  readonly to: number | null
  /**
   * `spec`: its spec or its generation. `moved`: only to another set. `settings`: what needs no generation (`update`,
   * `depends_on`, its set's `state` …). `text`: only how its file is written.
   */
  readonly how: 'added' | 'removed' | 'renamed' | 'spec' | 'moved' | 'settings' | 'text'
  /** Its name before (`renamed_from`), where it was renamed. */
  readonly formerly?: string
  /** Path of the set it came from, where it was moved. */
  readonly fromSet?: string
}

export interface HistoryNode {
  readonly kind: 'deployment' | 'set' | 'leaf'
  /** The leaf's name, the set's path, the deployment's name. */
  readonly name: string
  /** A leaf's file and generation as they are now; null for the others, and a generation for a leaf that is gone. */
  readonly file: string | null
  readonly generation: number | null
}

export interface HistoryEntry {
  readonly commit: CommitFacts
  /** False where the commit does not read: it changed nothing. */
  readonly reads: boolean
  /** Leaves of the node that it touched. */
  readonly leaves: readonly LeafTouch[]
  /** Paths of the node that differ from the first parent's, below the deployment's folder. */
  readonly files: readonly string[]
  /** What came of it, one for each host that told; by host. */
  readonly outcomes: readonly OutcomeRecord[]
}

export interface HistoryPage {
  readonly deployment: string
  readonly node: HistoryNode
  readonly entries: readonly HistoryEntry[]
  /** The last commit shown, where older ones follow; null at the end. */
  readonly next: string | null
  /** False where a shallow clone ends before the history does. */
  readonly complete: boolean
}
