// What of a commit graft acts on: its tree, and for each leaf whether ledger and policy admit it. `validate`, `plan`,
// `apply` and the daemon all ask here, so that they never disagree.

import { UNSEEN, type HostPlaces } from '../desired/host-paths.ts'
import { judgeLeaf, type InAncestors } from '../desired/ledger-judge.ts'
import { judgePolicy } from '../desired/policy-judge.ts'
import type { Policy } from '../desired/policy.ts'
import { compareProblems, type Problem } from '../desired/problem.ts'
import type { Reader } from '../desired/read.ts'
import type { Leaf, Tree } from '../desired/tree.ts'
import type { DepartedLeaf } from '../plan/planning.ts'
import type { Snapshot } from '../repository/snapshot.ts'
import type { HistoryAt, HistoryIndex, ReadCommit } from './history-index.ts'

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
  /** Where paths of the host lead; absent: they are taken as they are written. */
  readonly look?: (tree: Tree) => Promise<HostPlaces>
  /** The host's own values; null: judged without them. */
  readonly hostVariables: ReadonlyMap<string, string> | null
  /** Fetches the history that a shallow clone lacks; false where that is not possible. */
  readonly deepen: () => Promise<boolean>
}

/** `base`: the commit whose history the snapshot is judged against: its own, or HEAD for a work tree; null: no history. */
export async function accept(snapshot: Snapshot, base: string | null, options: AcceptOptions): Promise<Acceptance> {
  const { tree, problems } = options.reader.read(snapshot, { host: options.hostVariables })
  if (tree === null) return { tree, problems, refused: new Map(), departed: new Map() }
  const refused = new Map<string, Problem>()
  const history = base === null ? null : await wholeHistory(base, { snapshot, tree }, options)
  if (history !== null && base !== null) {
    const unclear = [...tree.leaves.values()].filter((leaf) => judgeLeaf(leaf, history.ledger, never) !== null)
    const inAncestors = unclear.length === 0 ? never : await options.history.sideLines(base)
    for (const leaf of unclear) {
      const problem = judgeLeaf(leaf, history.ledger, inAncestors)
      if (problem !== null) refused.set(leaf.name, problem)
    }
  }
  const places = (await options.look?.(tree)) ?? UNSEEN
  for (const leaf of tree.leaves.values()) {
    if (history?.complete === false && !refused.has(leaf.name)) refused.set(leaf.name, cutShort(leaf))
    if (refused.has(leaf.name)) continue
    const problem = judgePolicy(leaf, tree, options.policy, options.allowPrivileged, places)
    if (problem !== null) refused.set(leaf.name, problem)
  }
  return {
    tree,
    problems: [...problems, ...refused.values()].toSorted(compareProblems),
    refused,
    departed: history?.departed ?? new Map(),
  }
}

/** A clone that ends before the history does is fetched whole where that is possible. */
async function wholeHistory(base: string, known: ReadCommit, { history, deepen }: AcceptOptions): Promise<HistoryAt> {
  const first = await history.at(base, known)
  if (first.complete || !(await deepen())) return first
  await history.reread()
  return history.at(base, known)
}

/** What a number meant before the cut is unknown; graft never guesses. */
function cutShort(leaf: Leaf): Problem {
  return {
    file: leaf.file,
    line: leaf.generationLine,
    column: 1,
    text: `generation: ${leaf.generation}`,
    message: `what generation ${leaf.generation} of ${leaf.name} meant before cannot be told: the clone is shallow and ends before the history does`,
    remedy:
      'fetch the whole history: git fetch --unshallow, or fetch-depth: 0 where a CI job checks the repository out',
    leaf: leaf.name,
    severity: 'held',
  }
}

const never: InAncestors = () => false
