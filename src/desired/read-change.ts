// The quick way from one reading to the next: where only leaves and what they mount have changed, and nothing that
// other leaves look at, the tree is the earlier one with those leaves put in. Pure; null means: read everything.

import type { Snapshot, SnapshotEntry } from '../repository/snapshot.ts'
import { leafOf } from './build-tree.ts'
import { canonicalJson } from './ledger-digest.ts'
import { JOINING_KEYS } from './dependency-names.ts'
import type { Problem } from './problem.ts'
import { readLeaf } from './read-leaf.ts'
import type { ReadLeaf } from './read-leaf.ts'
import type { Reading } from './set-context.ts'
import type { Leaf, Tree } from './tree.ts'

/** A reading that came out well, as the next one needs it. */
export interface EarlierReading {
  readonly entries: readonly SnapshotEntry[]
  readonly tree: Tree
  /** Warnings; they belong to files that are no leaves. */
  readonly problems: readonly Problem[]
  /** Made when the first change asks for it. */
  readonly index: () => Index
}

interface Index {
  /** Every leaf by the path of its file. */
  readonly leaves: Map<string, ReadLeaf>
  /** Paths that are mounted → the files of the leaves that mount them. */
  readonly mounters: ReadonlyMap<string, readonly string[]>
}

/** Leaves that change at once before everything is read again anyway. */
const CHANGE_LIMIT = 500

export function rememberReading(
  snapshot: Snapshot,
  tree: Tree,
  problems: readonly Problem[],
  kept: readonly ReadLeaf[],
): EarlierReading {
  let index: Index | null = null
  return { entries: [...snapshot.entries.values()], tree, problems, index: () => (index ??= indexOf(kept)) }
}

function indexOf(kept: readonly ReadLeaf[]): Index {
  const mounters = new Map<string, string[]>()
  const leaves = new Map<string, ReadLeaf>()
  for (const leaf of kept) {
    const file = leaf.document.entry.path
    leaves.set(file, leaf)
    for (const path of leaf.contents.looked.keys()) {
      const files = mounters.get(path)
      if (files === undefined) mounters.set(path, [file])
      else files.push(file)
    }
  }
  return { leaves, mounters }
}

export function readChange(earlier: EarlierReading, reading: Reading): EarlierReading | null {
  const { snapshot } = reading
  const changed = changedEntries(earlier.entries, snapshot)
  if (changed === null) return null
  if (changed.length === 0) return { ...earlier, tree: withCommit(earlier.tree, snapshot) }
  const index = earlier.index()
  const files = new Set<string>()
  for (const { path } of changed) {
    const mounters = index.mounters.get(path) ?? []
    // A file that is neither a leaf nor mounted may still be a set, or a leaf in the wrong place.
    if (!index.leaves.has(path) && (mounters.length === 0 || isYaml(path))) {
      if (isYaml(path)) return null
      continue
    }
    if (index.leaves.has(path)) files.add(path)
    for (const file of mounters) files.add(file)
  }
  if (files.size > CHANGE_LIMIT) return null

  const fresh = new Map<string, ReadLeaf>()
  const made: Leaf[] = []
  for (const file of files) {
    const before = index.leaves.get(file)
    const entry = snapshot.entries.get(file)
    if (before === undefined || entry === undefined) return null
    const dependencies = earlier.tree.leaves.get(before.name)?.dependencies
    const after = readLeaf(entry, before.name, before.set, reading)
    if (dependencies === undefined || outside(after) === null || outside(after) !== outside(before)) return null
    const leaf = leafOf(after, dependencies)
    if (leaf === null) return null
    fresh.set(file, after)
    made.push(leaf)
  }
  // What leaves mount is the same, so the index stays right with the fresh leaves in it.
  for (const [file, leaf] of fresh) index.leaves.set(file, leaf)
  const leaves = new Map(earlier.tree.leaves)
  for (const leaf of made) leaves.set(leaf.name, leaf)
  const tree = { ...withCommit(earlier.tree, snapshot), leaves }
  return { ...earlier, entries: [...snapshot.entries.values()], tree }
}

function withCommit(tree: Tree, snapshot: Snapshot): Tree {
  return tree.commit === snapshot.commit ? tree : { ...tree, commit: snapshot.commit }
}

/** Entries that differ under the same paths; null where a path came, went or moved. */
function changedEntries(before: readonly SnapshotEntry[], snapshot: Snapshot): SnapshotEntry[] | null {
  if (snapshot.entries.size !== before.length) return null
  const changed: SnapshotEntry[] = []
  let index = 0
  for (const entry of snapshot.entries.values()) {
    const old = before[index++]
    if (entry === old) continue
    if (old === undefined || entry.path !== old.path) return null
    changed.push(entry)
  }
  return changed
}

/** What others see of a leaf, as one text; null for a leaf with problems. */
function outside(leaf: ReadLeaf): string | null {
  const { parts, spec, problems, document, claims, contents } = leaf
  if (parts === null || spec === null || problems.length > 0) return null
  return canonicalJson([
    document.generation !== null,
    parts.kind,
    parts.probe !== null || (spec.healthcheck !== undefined && !('disable' in spec.healthcheck)),
    parts.renamed_from,
    [...parts.depends_on],
    JOINING_KEYS.map((key) => spec[key] ?? null),
    Object.keys(spec.networks).includes('default'),
    claims.map(({ what, on }) => [what, on ?? null]),
    [...contents.looked.keys()],
  ])
}

function isYaml(path: string): boolean {
  return path.endsWith('.yaml') || path.endsWith('.yml')
}
