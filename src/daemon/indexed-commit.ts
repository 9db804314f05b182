// One line of the history index: what a commit claims of each leaf, and what it touched. Made of two readings, nothing
// else.

import { changedClaims, type LeafClaim } from '../desired/ledger.ts'
import { LEDGER_DIGEST_VERSION } from '../desired/ledger-digest.ts'
import type { Leaf, Tree } from '../desired/tree.ts'
import type { DepartedLeaf } from '../plan/planning.ts'
import type { LeafTouch } from '../report/history.ts'
import type { CommitFacts, Snapshot, SnapshotEntry } from '../repository/snapshot.ts'

export interface IndexedCommit extends CommitFacts {
  /** Whether the commit could be read at all; one that could not claims nothing. */
  readonly reads: boolean
  /** The deployment's name, where it is another one than before. */
  readonly name?: string
  readonly claims: readonly LeafClaim[]
  readonly leaves: readonly (DepartedLeaf & { readonly leaf: string })[]
  /** Leaves that differ from those of the newest commit before it that reads. Empty where it does not read. */
  readonly touched: readonly LeafTouch[]
  /** Paths below the deployment's folder that differ from the first parent's. */
  readonly files: readonly string[]
}

/** First line of the index; one with another first line is read from the repository again. */
export const INDEX_HEADER = JSON.stringify({ version: 2, digest: LEDGER_DIGEST_VERSION })

export interface Readings {
  /** Null: the commit does not read. */
  readonly tree: Tree | null
  /** Of the newest commit before it that reads; null for none. */
  readonly treeBefore: Tree | null
  /** Paths below the deployment's folder that differ from the first parent's. */
  readonly files: readonly string[]
}

export function indexedCommit(
  { id, parents, subject, author, time }: CommitFacts,
  { tree, treeBefore, files }: Readings,
): IndexedCommit {
  const facts = { id, subject, author, time, parents }
  if (tree === null) return { ...facts, reads: false, claims: [], leaves: [], touched: [], files }
  return {
    ...facts,
    reads: true,
    ...(tree.name === treeBefore?.name ? {} : { name: tree.name }),
    claims: changedClaims(tree, treeBefore),
    leaves: changedLeaves(tree, treeBefore),
    touched: touchedLeaves(tree, treeBefore, new Set(files)),
    files,
  }
}

export function changedFiles({ entries }: Snapshot, before: Snapshot | null): string[] {
  const changed: string[] = []
  const known = before?.entries ?? new Map<string, SnapshotEntry>()
  let kept = 0
  for (const [path, entry] of entries) {
    const old = known.get(path)
    if (old !== undefined) kept++
    if (!isSame(old, entry)) changed.push(path)
  }
  if (kept < known.size) for (const path of known.keys()) if (!entries.has(path)) changed.push(path)
  return changed
}

function isSame(before: SnapshotEntry | undefined, now: SnapshotEntry): boolean {
  if (before === now) return true
  return before?.oid === now.oid && before.kind === now.kind && before.executable === now.executable
}

function changedLeaves(tree: Tree, before: Tree | null): IndexedCommit['leaves'] {
  const changed: (DepartedLeaf & { leaf: string })[] = []
  for (const [leaf, now] of tree.leaves) {
    const old = before?.leaves.get(leaf)
    if (old === now) continue
    const dependencies = [...now.dependencies.keys()]
    const same =
      old !== undefined && old.prune === now.prune && dependencies.join() === [...old.dependencies.keys()].join()
    if (!same) changed.push({ leaf, prune: now.prune, dependencies })
  }
  return changed
}

/** In the order of the paths, then those that are gone. */
function touchedLeaves(tree: Tree, before: Tree | null, files: ReadonlySet<string>): LeafTouch[] {
  const touched: LeafTouch[] = []
  const renamed = new Set<string>()
  let kept = 0
  for (const [name, now] of tree.leaves) {
    const old = before?.leaves.get(name)
    if (old !== undefined) kept++
    if (old === now) continue
    if (old !== undefined) {
      const how = howChanged(old, now, files)
      if (how === null) continue
      const from = old.set === now.set ? {} : { fromSet: old.set }
      touched.push({ ...placeOf(now), from: old.generation, to: now.generation, how, ...from })
      continue
    }
    const former = now.renamed_from === null ? undefined : before?.leaves.get(now.renamed_from)
    if (former === undefined || tree.leaves.has(former.name)) {
      touched.push({ ...placeOf(now), from: null, to: now.generation, how: 'added' })
    } else {
      renamed.add(former.name)
      const names = { formerly: former.name, ...(former.set === now.set ? {} : { fromSet: former.set }) }
      touched.push({ ...placeOf(now), from: former.generation, to: now.generation, how: 'renamed', ...names })
    }
  }
  if (before === null || kept === before.leaves.size) return touched
  for (const [name, old] of before.leaves) {
    if (tree.leaves.has(name) || renamed.has(name)) continue
    touched.push({ ...placeOf(old), from: old.generation, to: null, how: 'removed' })
  }
  return touched
}

function placeOf({ name, set, file, generationLine }: Leaf): Pick<LeafTouch, 'leaf' | 'set' | 'file' | 'line'> {
  return { leaf: name, set, file, line: generationLine }
}

/** Null where nothing of it differs. */
function howChanged(old: Leaf, now: Leaf, files: ReadonlySet<string>): LeafTouch['how'] | null {
  if (old.ledgerDigest !== now.ledgerDigest || old.generation !== now.generation) return 'spec'
  if (settingsOf(old) !== settingsOf(now)) return 'settings'
  if (old.set !== now.set || old.file !== now.file) return 'moved'
  // The ingress shares its file with the whole deployment.
  return files.has(now.file) && now.file !== 'deployment.yaml' ? 'text' : null
}

/** What of a leaf needs no generation, as one text. */
function settingsOf(leaf: Leaf): string {
  const { kind, renamed_from, pull_policy, probe, update, image_policy, on_unhealthy, prune, dependencies } = leaf
  const { state, suspend } = leaf
  const rest = [kind, renamed_from, pull_policy, probe, update, image_policy, on_unhealthy, prune, state, suspend]
  return JSON.stringify([...rest, [...dependencies]])
}
