// Reads tree objects, and finds what differs between two trees without opening what they share.

import { DamagedStore } from './git-object.ts'
import type { ObjectStore } from './object-store.ts'
import { type Recent, recentBytes } from './recent.ts'
import { showPath, whyRefused } from './safe-name.ts'
import type { EntryKind } from './snapshot.ts'

export interface TreeEntry {
  readonly name: string
  /** As Git writes it, in octal: `100644`, `40000` … */
  readonly mode: string
  readonly oid: string
  /** The tree holds the name more than once, which Git never makes: whoever reads it may see another one. */
  readonly twice?: true
}

/** A tree object's entries by name. */
export type Tree = ReadonlyMap<string, TreeEntry>

export interface ListedFile {
  readonly path: string
  readonly kind: EntryKind
  readonly oid: string
  readonly executable: boolean
}

export interface Refusal {
  readonly path: string
  readonly why: string
}

export interface TreeDifference {
  /** New or changed. */
  readonly files: ListedFile[]
  readonly removed: string[]
  readonly refused: Refusal[]
  /** Paths that were refused before and are gone. */
  readonly unrefused: string[]
}

export interface TreeReader {
  read(oid: string): Tree
}

/** Remembers trees that were read, up to some 200,000 entries. */
export function openTreeReader(store: ObjectStore): TreeReader {
  const kept: Recent<string, Tree> = recentBytes<Tree>(200_000, (tree) => tree.size + 1)
  return {
    read(oid) {
      const known = kept.get(oid)
      if (known !== undefined) return known
      const { type, content } = store.read(oid)
      if (type !== 'tree') throw new DamagedStore(`object ${oid} is a ${type}, not a tree`)
      const tree = parseTree(oid, content)
      kept.set(oid, tree)
      return tree
    },
  }
}

/** Git documentation, gitformat-pack and "Git Internals, Tree Objects": mode, space, name, zero byte, 20 bytes of id. */
export function parseTree(id: string, content: Buffer): Tree {
  const entries = new Map<string, TreeEntry>()
  let at = 0
  while (at < content.length) {
    const space = content.indexOf(0x20, at)
    const zero = content.indexOf(0, space)
    if (space < 0 || zero < 0 || zero + 21 > content.length) throw new DamagedStore(`tree ${id} ends too early`)
    const mode = content.toString('latin1', at, space)
    const name = content.toString('utf8', space + 1, zero)
    const entry = { name, mode, oid: content.toString('hex', zero + 1, zero + 21) }
    entries.set(name, entries.has(name) ? { ...entry, twice: true } : entry)
    at = zero + 21
  }
  return entries
}

const EMPTY: Tree = new Map()

/**
 * What `after` has that `before` (null: nothing) has not, in the order of the walk. Calls `count` with the number of files
 * found so far, or of folders where those are more, which may throw to end it: a few trees that name each other can stand
 * for billions of folders, all of them empty.
 */
export function compareTrees(
  trees: TreeReader,
  before: string | null,
  after: string | null,
  count: (files: number) => void,
): TreeDifference {
  const result: TreeDifference = { files: [], removed: [], refused: [], unrefused: [] }
  const open: { before: string | null; after: string | null; prefix: string; depth: number }[] = []
  if (before !== after) open.push({ before, after, prefix: '', depth: 0 })
  let folders = 0
  for (let pair = open.pop(); pair !== undefined; pair = open.pop()) {
    const { prefix, depth } = pair
    const old = pair.before === null ? EMPTY : trees.read(pair.before)
    const now = pair.after === null ? EMPTY : trees.read(pair.after)
    for (const entry of old.values()) {
      const successor = now.get(entry.name)
      if (successor !== undefined && isSame(successor, entry)) continue
      const path = prefix + entry.name
      if (whyEntryRefused(entry, depth) !== null) result.unrefused.push(showPath(path))
      else if (!isFolder(entry)) {
        if (successor === undefined || isFolder(successor) || whyEntryRefused(successor, depth) !== null) {
          result.removed.push(path)
        }
      } else if (successor === undefined || !isFolder(successor)) {
        open.push({ before: entry.oid, after: null, prefix: `${path}/`, depth: depth + 1 })
      }
    }
    for (const entry of now.values()) {
      const predecessor = old.get(entry.name)
      if (predecessor !== undefined && isSame(predecessor, entry)) continue
      const path = prefix + entry.name
      const why = whyEntryRefused(entry, depth)
      if (why !== null) result.refused.push({ path: showPath(path), why })
      else if (isFolder(entry)) {
        const known = predecessor !== undefined && isFolder(predecessor) ? predecessor.oid : null
        open.push({ before: known, after: entry.oid, prefix: `${path}/`, depth: depth + 1 })
      } else result.files.push(listed(path, entry))
    }
    folders += 1
    count(Math.max(result.files.length + result.refused.length, folders))
  }
  return result
}

function isSame(one: TreeEntry, other: TreeEntry): boolean {
  return one.oid === other.oid && one.mode === other.mode && one.twice === other.twice
}

export function isFolder(entry: TreeEntry): boolean {
  return entry.mode === '40000' || entry.mode === '040000'
}

const MODES: Readonly<Record<string, EntryKind>> = {
  '100644': 'file',
  '100664': 'file',
  '100755': 'file',
  '120000': 'link',
  '160000': 'submodule',
}

function whyEntryRefused(entry: TreeEntry, depth: number): string | null {
  const why = whyRefused(entry.name, depth)
  if (why !== null) return why
  if (entry.twice === true) return 'a name may be in a folder only once'
  if (isFolder(entry) || Object.hasOwn(MODES, entry.mode)) return null
  return `an entry of the unknown mode ${showPath(entry.mode)}`
}

function listed(path: string, entry: TreeEntry): ListedFile {
  return { path, kind: MODES[entry.mode] ?? 'file', oid: entry.oid, executable: entry.mode === '100755' }
}
