// Reads commits one after the other, each compared with the one before it, and makes a line of the index of each.

import type { Reader } from '../desired/read.ts'
import type { Tree } from '../desired/tree.ts'
import type { CommitFacts, Snapshot } from '../repository/snapshot.ts'
import { changedFiles, indexedCommit, type IndexedCommit } from './indexed-commit.ts'

export interface HistoryScan {
  /** What the next commit is compared with; null: with nothing. */
  readonly last: { readonly id: string; readonly snapshot: Snapshot; readonly tree: Tree | null } | null
  /** Reads a commit that the next one is to be compared with. Where it does not read, the tree of the last one stays. */
  see(id: string, snapshot: Snapshot, known?: Tree): void
  /** Reads the commit after the last one. `known`: what it was read to already; `files`: which differ, where that is known. */
  add(facts: CommitFacts, snapshot: Snapshot, known?: Tree, files?: readonly string[]): IndexedCommit
  forget(): void
}

export function createHistoryScan(reader: Reader): HistoryScan {
  let last: HistoryScan['last'] = null

  function read(snapshot: Snapshot, known?: Tree): Tree | null {
    return known ?? reader.read(snapshot, { host: null }).tree
  }

  return {
    get last() {
      return last
    },
    see(id, snapshot, known) {
      last = { id, snapshot, tree: read(snapshot, known) ?? last?.tree ?? null }
    },
    add(facts, snapshot, known, files = changedFiles(snapshot, last?.snapshot ?? null)) {
      const tree = read(snapshot, known)
      const treeBefore = last?.tree ?? null
      const entry = indexedCommit(facts, { tree, treeBefore, files })
      last = { id: facts.id, snapshot, tree: tree ?? treeBefore }
      return entry
    },
    forget: () => (last = null),
  }
}
