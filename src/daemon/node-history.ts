// The commits that touched a leaf, a set or the whole deployment, found in the history index alone: no commit is read
// for it.

import { nearest } from '../desired/nearest.ts'
import type { HistoryEntry, HistoryNode, LeafTouch } from '../report/history.ts'
import type { CommitFacts } from '../repository/snapshot.ts'
import type { HistoryLine } from './history-index.ts'
import type { IndexedCommit } from './indexed-commit.ts'
import type { Misnamed } from './named-set.ts'

/** What the history knows of the tree at its newest commit that reads. */
export interface KnownNodes {
  readonly deployment: string
  /** The last touch of each leaf there ever was; `to` is null for one that is gone. */
  readonly leaves: ReadonlyMap<string, LeafTouch>
  /** Paths of all sets there ever were, without the root. */
  readonly sets: ReadonlySet<string>
}

export function knownNodes({ commits }: HistoryLine): KnownNodes {
  let deployment: string | null = null
  const leaves = new Map<string, LeafTouch>()
  const sets = new Set<string>()
  for (const { name, touched, files } of commits) {
    deployment ??= name ?? null
    for (const touch of touched) {
      if (!leaves.has(touch.leaf)) leaves.set(touch.leaf, touch)
      if (touch.formerly !== undefined && !leaves.has(touch.formerly)) {
        leaves.set(touch.formerly, { ...touch, leaf: touch.formerly, to: null })
      }
      if (touch.set !== '') sets.add(touch.set)
    }
    for (const file of files) if (file.endsWith('/set.yaml')) sets.add(file.slice(0, -'/set.yaml'.length))
  }
  return { deployment: deployment ?? 'the deployment', leaves, sets }
}

/** `asked`: a leaf's name or file, a set's path or name, `.` or the deployment's name; undefined: the deployment. */
export function nodeNamed(known: KnownNodes, asked: string | undefined): HistoryNode | Misnamed {
  const wanted = (asked ?? '.').replace(/^\.\//, '').replace(/\/+$/, '')
  if (wanted === '.' || wanted === '') return nodeOf('deployment', known.deployment)
  const leaf =
    known.leaves.get(wanted) ??
    [...known.leaves.values()].find(({ file, to }) => file === wanted && to !== null && file !== 'deployment.yaml')
  if (leaf !== undefined) return { kind: 'leaf', name: leaf.leaf, file: leaf.file, generation: leaf.to }
  if (known.sets.has(wanted)) return nodeOf('set', wanted)
  const named = [...known.sets].filter((path) => path.endsWith(`/${wanted}`))
  const [only] = named
  if (only !== undefined && named.length === 1) return nodeOf('set', only)
  if (named.length > 1) {
    return { message: `more than one set has the name ${wanted}`, remedy: `write its path: ${named.join(', ')}` }
  }
  if (wanted === known.deployment) return nodeOf('deployment', known.deployment)
  const close = nearest(wanted, [...known.leaves.keys(), ...known.sets])
  return {
    message: `${known.deployment} never had a leaf or a set ${wanted}`,
    remedy: close === null ? 'graft history without a name shows everything' : `did you mean ${close}?`,
  }
}

function nodeOf(kind: 'deployment' | 'set', name: string): HistoryNode {
  return { kind, name, file: null, generation: null }
}

export interface PageOptions {
  /** Id of the last commit of the page before; null: from the newest. */
  readonly before: string | null
  readonly limit: number
}

export interface Page {
  /** Newest first; their outcomes are not looked up yet. */
  readonly entries: readonly Omit<HistoryEntry, 'outcomes'>[]
  /** As in HistoryPage. */
  readonly next: string | null
}

/** Null where `before` is not in the line. */
export function pageOf(
  { commits, complete }: HistoryLine,
  node: HistoryNode,
  { before, limit }: PageOptions,
): Page | null {
  // What the oldest commit of a shallow clone changed cannot be told.
  const isCutOff = ({ parents }: IndexedCommit, index: number): boolean =>
    !complete && index === commits.length - 1 && parents.length > 0
  const from = before === null ? 0 : commits.findIndex(({ id }) => id === before) + 1
  if (from === 0 && before !== null) return null
  const touches = touchesOf(node)
  const entries: Omit<HistoryEntry, 'outcomes'>[] = []
  for (const [index, commit] of commits.entries()) {
    // Those above are looked at too: a leaf's earlier name is learnt on the way.
    const entry = touches(commit)
    if (index < from || entry === null || isCutOff(commit, index)) continue
    if (entries.length === limit) return { entries, next: entries.at(-1)?.commit.id ?? before }
    entries.push(entry)
  }
  return { entries, next: null }
}

/** The newest commit that touched the node; null for none. */
export function lastTouch(line: HistoryLine, node: HistoryNode): Omit<HistoryEntry, 'outcomes'> | null {
  return pageOf(line, node, { before: null, limit: 1 })?.entries[0] ?? null
}

type Touches = (commit: IndexedCommit) => Omit<HistoryEntry, 'outcomes'> | null

/** Asked from the newest commit to the oldest. */
function touchesOf(node: HistoryNode): Touches {
  switch (node.kind) {
    case 'deployment':
      return (commit) => entryOf(commit, commit.touched, commit.files)
    case 'set':
      return (commit) =>
        entryOf(
          commit,
          commit.touched.filter(({ set, fromSet }) => isIn(set, node.name) || isIn(fromSet, node.name)),
          commit.files.filter((file) => file.startsWith(`${node.name}/`)),
        )
    case 'leaf':
      return leafTouches(node.name, node.file)
  }
}

/** A leaf that was renamed goes on under the name it had before. */
function leafTouches(leaf: string, lastFile: string | null): Touches {
  let name = leaf
  let file = lastFile
  return (commit) => {
    const own = commit.touched.filter((touch) => touch.leaf === name)
    for (const touch of own) {
      file = touch.file
      if (touch.formerly !== undefined) name = touch.formerly
    }
    // What a commit that does not read would have touched can only be told by its files.
    const files = commit.files.filter(
      (path) => path === file || (!commit.reads && file !== null && isAbove(path, file)),
    )
    return own.length === 0 && commit.reads ? null : entryOf(commit, own, files)
  }
}

function entryOf(
  { id, parents, subject, author, time, reads }: IndexedCommit,
  leaves: readonly LeafTouch[],
  files: readonly string[],
): Omit<HistoryEntry, 'outcomes'> | null {
  if (leaves.length === 0 && files.length === 0) return null
  const commit: CommitFacts = { id, parents, subject, author, time }
  return { commit, reads, leaves, files }
}

function isIn(set: string | undefined, path: string): boolean {
  return set === path || set?.startsWith(`${path}/`) === true
}

/** Whether a file is `deployment.yaml` or the `set.yaml` of a set around a leaf's file. */
function isAbove(path: string, file: string): boolean {
  if (path === 'deployment.yaml') return true
  return path.endsWith('/set.yaml') && file.startsWith(path.slice(0, -'set.yaml'.length))
}
