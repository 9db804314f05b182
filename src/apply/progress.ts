// What is told while work is done. Whoever shows or logs it subscribes; nothing here decides anything.

import type { Action, Table } from '../plan/step.ts'
import type { TableResult } from './outcome.ts'

export type Progress =
  | { readonly kind: 'table-started'; readonly table: Table }
  | { readonly kind: 'step'; readonly table: Table; readonly action: Action; readonly undo: boolean }
  | {
      readonly kind: 'pull'
      readonly leaf: string
      readonly current: number
      readonly total: number
      readonly status: string
    }
  /** What the last probe of a candidate saw. */
  | { readonly kind: 'probe'; readonly leaf: string; readonly healthy: boolean; readonly output: string }
  /** HAProxy did not take what a leaf's ports need; the ingress goes on without it, or with what the leaf had before. */
  | { readonly kind: 'left-out'; readonly leaf: string; readonly because: string }
  | { readonly kind: 'table-ended'; readonly result: TableResult }
  /** A table that was not begun because one it waits for did not go through. */
  | { readonly kind: 'table-held'; readonly table: Table; readonly because: string }

export type Report = (progress: Progress) => void
