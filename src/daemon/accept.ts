// What of a commit graft acts on: its tree, and for each leaf whether ledger and policy admit it. `validate`, `plan`,
// `apply` and the daemon all ask here, so that they never disagree.

import { judgeLeaf, type InAncestors } from '../desired/ledger-judge.ts'
import { judgePolicy } from '../desired/policy-judge.ts'
import type { Policy } from '../desired/policy.ts'
import { compareProblems, type Problem } from '../desired/problem.ts'
import type { Reader } from '../desired/read.ts'
import type { Tree } from '../desired/tree.ts'
import type { DepartedLeaf } from '../plan/planning.ts'
import type { Snapshot } from '../repository/snapshot.ts'
import type { HistoryIndex } from './history-index.ts'

export interface Acceptance {
  /** Null: the commit does not read and changes nothing. */
  readonly tree: Tree | null
  /** Everything wrong with it, sorted. */
  readonly problems: readonly Problem[]
  /** Leaves that ledger or policy refuse. */
  readonly refused: ReadonlyMap<string, Problem>
  readonly departed: ReadonlyMap<string, DepartedLeaf>
}

export interface AcceptOptions {
  readonly reader: Reader
  readonly history: HistoryIndex
  readonly policy: Policy
  readonly allowPrivileged: boolean
  /** The host's own values; null: judged without them. */
  readonly hostVariables: ReadonlyMap<string, string> | null
}

/** `base`: the commit whose history the snapshot is judged against: its own, or HEAD for a work tree; null: no history. */
export async function accept(snapshot: Snapshot, base: string | null, options: AcceptOptions): Promise<Acceptance> {
  const { tree, problems } = options.reader.read(snapshot, { host: options.hostVariables })
  if (tree === null) return { tree, problems, refused: new Map(), departed: new Map() }
  const refused = new Map<string, Problem>()
  const history = base === null ? null : await options.history.at(base)
  if (history !== null && base !== null) {
    const unclear = [...tree.leaves.values()].filter((leaf) => judgeLeaf(leaf, history.ledger, never) !== null)
    const inAncestors = unclear.length === 0 ? never : await options.history.sideLines(base)
    for (const leaf of unclear) {
      const problem = judgeLeaf(leaf, history.ledger, inAncestors)
      if (problem !== null) refused.set(leaf.name, problem)
    }
  }
  for (const leaf of tree.leaves.values()) {
    if (refused.has(leaf.name)) continue
    const problem = judgePolicy(leaf, tree, options.policy, options.allowPrivileged)
    if (problem !== null) refused.set(leaf.name, problem)
  }
  return {
    tree,
    problems: [...problems, ...refused.values()].toSorted(compareProblems),
    refused,
    departed: history?.departed ?? new Map(),
  }
}

const never: InAncestors = () => false
