// What there is of one leaf on the engine, by role.

import type { Tree } from '../desired/tree.ts'
import { readName } from './names.ts'
import type { Observed, ObservedContainer } from './observed.ts'

export interface Situation {
  readonly leaf: string
  readonly live: ObservedContainer | null
  readonly candidate: ObservedContainer | null
  /** Newest first. A container of the leaf under a name that graft never gave counts here when the leaf has a live one. */
  readonly retired: readonly ObservedContainer[]
  readonly failed: ObservedContainer | null
}

interface Draft {
  live: ObservedContainer | null
  candidate: ObservedContainer | null
  retired: ObservedContainer[]
  failed: ObservedContainer | null
  strays: ObservedContainer[]
}

/** Groups the deployment's containers by leaf; leaves without any container are absent. */
export function situations(tree: Tree, observed: Observed): Map<string, Situation> {
  const successors = new Map<string, string>()
  for (const leaf of tree.leaves.values()) {
    if (leaf.renamed_from !== null && !tree.leaves.has(leaf.renamed_from)) successors.set(leaf.renamed_from, leaf.name)
  }
  const drafts = new Map<string, Draft>()
  for (const container of observed.containers) {
    if (container.labels.kind === 'lock') continue
    const leaf = leafOf(tree, successors, container)
    let draft = drafts.get(leaf)
    if (draft === undefined) {
      draft = { live: null, candidate: null, retired: [], failed: null, strays: [] }
      drafts.set(leaf, draft)
    }
    place(tree.prefix, leaf, successors, draft, container)
  }
  const result = new Map<string, Situation>()
  for (const [leaf, draft] of drafts) result.set(leaf, settle(leaf, draft))
  return result
}

/**
 * The leaf a container belongs to. Its label decides while the tree has such a leaf; a leaf that was renamed takes over
 * its old name's containers, and keeps them when `renamed_from` is later taken out, because by then the name says so.
 */
function leafOf(tree: Tree, successors: ReadonlyMap<string, string>, container: ObservedContainer): string {
  const labelled = container.labels.leaf
  if (tree.leaves.has(labelled)) return labelled
  const successor = successors.get(labelled)
  if (successor !== undefined) return successor
  const named = readName(tree.prefix, container.name)
  if (named === null) return labelled
  // Renamed once more: the label says the first name, the container's name the one in between.
  return tree.leaves.has(named.leaf) ? named.leaf : (successors.get(named.leaf) ?? labelled)
}

function place(
  prefix: string,
  leaf: string,
  successors: ReadonlyMap<string, string>,
  draft: Draft,
  container: ObservedContainer,
): void {
  const named = readName(prefix, container.name)
  const isOfLeaf = (name: string): boolean =>
    name === leaf || name === container.labels.leaf || successors.get(name) === leaf
  const role = named !== null && isOfLeaf(named.leaf) ? named.role : null
  if (role === 'live' && draft.live === null) draft.live = container
  else if (role === 'live') draft.strays.push(named?.leaf === leaf ? swapLive(draft, container) : container)
  else if (role === 'candidate' && draft.candidate === null) draft.candidate = container
  else if (role === 'failed' && draft.failed === null) draft.failed = container
  else if (role === 'retired') draft.retired.push(container)
  else draft.strays.push(container)
}

/** The container under the leaf's own name is live, one under the name it was renamed from is not. */
function swapLive(draft: Draft, container: ObservedContainer): ObservedContainer {
  const other = draft.live
  draft.live = container
  return other ?? container
}

/** Someone's `docker rename` of the live container is undone by taking the best stray for live. */
function settle(leaf: string, draft: Draft): Situation {
  const byAge = (a: ObservedContainer, b: ObservedContainer) => b.createdAt - a.createdAt || (a.id < b.id ? -1 : 1)
  const strays = draft.strays.toSorted(
    (a, b) => Number(b.state === 'running') - Number(a.state === 'running') || byAge(a, b),
  )
  let live = draft.live
  if (live === null && draft.retired.length === 0) live = strays.shift() ?? null
  return {
    leaf,
    live,
    candidate: draft.candidate,
    retired: [...draft.retired, ...strays].toSorted(byAge),
    failed: draft.failed,
  }
}
