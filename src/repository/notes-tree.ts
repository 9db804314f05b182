// The tree of a notes ref: a blob for each object, named by its id, in folders of two digits where there are many. Read
// in whatever way it is spread; written so that native Git reads it, and entries that are no notes stay.
// Git documentation, git-notes, "Discussion": the path is the id of the object, "possibly with slashes in it".

import { treeObject } from './make-commit.ts'
import type { NewObject } from './new-object.ts'
import { RepositoryFault } from './repository.ts'
import { isFolder, type Tree, type TreeEntry, type TreeReader } from './tree.ts'

/** Notes in one folder above which they are spread over folders below it, about as Git does it. */
const FLAT = 256

/** The blobs of the note on one object: none, one, or several where a merge left it in two places. */
export function noteIn(trees: TreeReader, root: string | null, id: string): string[] {
  const found: string[] = []
  for (let tree = root, rest = id; tree !== null;) {
    const entries: Tree = trees.read(tree)
    const note = entries.get(rest)
    if (note !== undefined && !isFolder(note)) found.push(note.oid)
    const below = rest.length > 2 ? entries.get(rest.slice(0, 2)) : undefined
    tree = below !== undefined && isFolder(below) ? below.oid : null
    rest = rest.slice(2)
  }
  return found
}

/** The root with these notes (blob by id; null takes one away), and the new trees; root null where nothing is left. */
export function changeNotes(
  trees: TreeReader,
  root: string | null,
  changes: ReadonlyMap<string, string | null>,
): { readonly root: string | null; readonly objects: readonly NewObject[] } {
  const objects: NewObject[] = []
  return { root: changeFolder(trees, root, 40, changes, objects), objects }
}

/** `digits`: how many of an id name an entry of this folder. */
function changeFolder(
  trees: TreeReader,
  tree: string | null,
  digits: number,
  changes: ReadonlyMap<string, string | null>,
  made: NewObject[],
): string | null {
  const entries = new Map<string, TreeEntry>(tree === null ? [] : trees.read(tree))
  // A name that is no UTF-8 would come out changed.
  if (tree !== null && treeObject(entries).oid !== tree) throw unwritable()
  const isNote = ({ name }: TreeEntry): boolean => name.length === digits && /^[0-9a-f]+$/.test(name)
  const flat = [...entries.values()].filter((entry) => isNote(entry) && !isFolder(entry))
  const spread = digits > 2 && (flat.length + changes.size > FLAT || [...entries.values()].some(isSpread))
  const below = new Map<string, Map<string, string | null>>()
  const put = (name: string, blob: string | null): void => {
    entries.delete(name)
    const folder = entries.get(name.slice(0, 2))
    if (digits > 2 && (spread || (folder !== undefined && isFolder(folder)))) {
      const inner = below.get(name.slice(0, 2)) ?? new Map<string, string | null>()
      below.set(name.slice(0, 2), inner.set(name.slice(2), blob))
    } else if (blob !== null) entries.set(name, { name, mode: '100644', oid: blob })
  }
  if (spread) for (const { name, oid } of flat) if (!changes.has(name)) put(name, oid)
  for (const [name, blob] of changes) put(name, blob)
  for (const [name, inner] of below) {
    const before = entries.get(name)
    if (before !== undefined && !isFolder(before)) throw unwritable()
    const oid = changeFolder(trees, before?.oid ?? null, digits - 2, inner, made)
    if (oid === null) entries.delete(name)
    else entries.set(name, { name, mode: '40000', oid })
  }
  if (entries.size === 0) return null
  const object = treeObject(entries)
  if (object.oid !== tree) made.push(object)
  return object.oid
}

function isSpread(entry: TreeEntry): boolean {
  return isFolder(entry) && /^[0-9a-f]{2}$/.test(entry.name)
}

/** Ids of objects whose notes are not the same below two roots; folders that both share are not opened. */
export function changedNotes(trees: TreeReader, before: string | null, after: string | null): Set<string> {
  const changed = new Set<string>()
  const open = [{ before, after, prefix: '' }]
  for (let pair = open.pop(); pair !== undefined; pair = open.pop()) {
    if (pair.before === pair.after) continue
    const { prefix } = pair
    const [old, now] = [pair.before, pair.after].map((tree): Tree => (tree === null ? new Map() : trees.read(tree)))
    for (const name of new Set([...(old?.keys() ?? []), ...(now?.keys() ?? [])])) {
      const [a, b] = [old?.get(name), now?.get(name)]
      if (a?.oid === b?.oid) continue
      const id = prefix + name
      if (name.length === 2 && id.length < 40 && /^[0-9a-f]{2}$/.test(name)) {
        const folder = (entry: TreeEntry | undefined): string | null =>
          entry !== undefined && isFolder(entry) ? entry.oid : null
        open.push({ before: folder(a), after: folder(b), prefix: id })
      } else if (/^[0-9a-f]{40}$/.test(id)) changed.add(id)
    }
  }
  return changed
}

function unwritable(): RepositoryFault {
  return new RepositoryFault(
    'refused',
    'the tree of the notes holds names that graft cannot write',
    'Look at it with git ls-tree -r refs/notes/graft, and take out what is no note',
  )
}
