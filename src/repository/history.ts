// Walks commits: along first parents, or everything reachable, newest first. Never recursive.

import { type Commit, factsOf, readCommit } from './commit.ts'
import type { ObjectStore } from './object-store.ts'
import type { CommitFacts } from './snapshot.ts'

export interface FirstParents {
  readonly commits: CommitFacts[]
  /** Where to go on; null at the end. */
  readonly next: string | null
  /** False where a shallow clone ends before the history does. */
  readonly complete: boolean
}

/** At most `count` commits from `commit` back along first parents. `shallow` holds the commits whose parents are cut off. */
export function walkFirstParents(
  store: ObjectStore,
  shallow: ReadonlySet<string>,
  commit: string,
  count: number,
): FirstParents {
  const commits: CommitFacts[] = []
  let next: string | null = commit
  while (next !== null && commits.length < count) {
    const found: Commit = readCommit(store, next)
    commits.push(factsOf(found))
    const parent: string | undefined = found.parents[0]
    if (parent !== undefined && shallow.has(next)) return { commits, next: null, complete: false }
    next = parent ?? null
  }
  return { commits, next, complete: true }
}

/** Every commit reachable from `commit`, by falling committer time; returns whether a shallow clone cut some off. */
export function* walkAncestors(
  store: ObjectStore,
  shallow: ReadonlySet<string>,
  commit: string,
): Generator<CommitFacts, boolean> {
  const seen = new Set([commit])
  const heap: Commit[] = []
  let complete = true
  pushByTime(heap, readCommit(store, commit))
  for (let newest = popNewest(heap); newest !== undefined; newest = popNewest(heap)) {
    yield factsOf(newest)
    if (newest.parents.length > 0 && shallow.has(newest.id)) {
      complete = false
      continue
    }
    for (const parent of newest.parents) {
      if (seen.has(parent)) continue
      seen.add(parent)
      pushByTime(heap, readCommit(store, parent))
    }
  }
  return complete
}

/** A binary heap with the newest commit on top. */
export function pushByTime(heap: Commit[], commit: Commit): void {
  let at = heap.push(commit) - 1
  while (at > 0) {
    const above = (at - 1) >> 1
    const parent = heap[above]
    if (parent === undefined || parent.time >= commit.time) break
    heap[at] = parent
    at = above
  }
  heap[at] = commit
}

export function popNewest(heap: Commit[]): Commit | undefined {
  const top = heap[0]
  const last = heap.pop()
  if (top === undefined || last === undefined || heap.length === 0) return top
  let at = 0
  for (;;) {
    let child = at * 2 + 1
    const left = heap[child]
    if (left === undefined) break
    const right = heap[child + 1]
    if (right !== undefined && right.time > left.time) child++
    const larger = heap[child]
    if (larger === undefined || larger.time <= last.time) break
    heap[at] = larger
    at = child
  }
  heap[at] = last
  return top
}
