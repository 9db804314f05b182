// History, traces and differences as JSON; the shapes are described in docs/json.md.

import type { HistoryPage } from './history.ts'
import type { TreeDifference } from '../plan/tree-difference.ts'
import type { CommitFacts } from '../repository/snapshot.ts'
import type { Trace } from './trace.ts'

const FORMAT = 1

export function historyJson({ deployment, node, entries, next, complete }: HistoryPage): object {
  return { format: FORMAT, deployment, node, entries, next, complete }
}

export function traceJson(trace: Trace): object {
  return { format: FORMAT, ...trace }
}

export function differenceJson(from: CommitFacts, to: CommitFacts, difference: TreeDifference): object {
  return { format: FORMAT, from, to, ...difference }
}
