// The objects of a commit that changes some files: blobs, the trees above them, and the commit itself.

import { readCommit } from './commit.ts'
import { newObject, type NewObject } from './new-object.ts'
import { type FileChange, type Person, RepositoryFault } from './repository.ts'
import type { Signer } from './signing-key.ts'
import type { Objects } from './source.ts'
import { isFolder, type TreeEntry } from './tree.ts'

export interface CommitText {
  readonly message: string
  readonly author: Person
  /** Milliseconds since 1970. */
  readonly time: number
  /** Null or left out: the commit is not signed. */
  readonly sign?: Signer | null
}

/** `changes` with paths from the repository's root. The commit is the last of the objects. */
export function makeCommit(
  objects: Objects,
  onto: string,
  changes: readonly FileChange[],
  { message, author, time, sign = null }: CommitText,
): readonly NewObject[] {
  const made: NewObject[] = []
  const root = changedTree(objects, readCommit(objects.store, onto).tree, changes, made)
  if (root === null) throw refused('no file would be left', 'Leave one file in the repository')
  const who = `${personText(author)} ${stamp(time)}`
  const head = `tree ${root}\nparent ${onto}\nauthor ${who}\ncommitter ${who}\n`
  const text = message.replaceAll('\r\n', '\n').replaceAll('\0', '').trim()
  const content = Buffer.from(`${head}\n${text}\n`)
  made.push(newObject('commit', sign === null ? content : sign(content)))
  return made
}

/** The id of a tree with the changes; null for one without any entry. */
function changedTree(
  objects: Objects,
  tree: string | null,
  changes: readonly FileChange[],
  made: NewObject[],
): string | null {
  const entries = new Map<string, TreeEntry>(tree === null ? [] : objects.trees.read(tree))
  // A name that is no UTF-8 would come out changed.
  if (tree !== null && treeObject(entries).oid !== tree)
    throw refused('a folder of the repository holds names that graft cannot write', 'Commit this change with git')
  const below = new Map<string, FileChange[]>()
  for (const change of changes) {
    const [name = '', ...rest] = change.path.split('/')
    if (rest.length > 0) {
      const inner = below.get(name) ?? []
      below.set(name, [...inner, { ...change, path: rest.join('/') }])
    } else if (change.content === null) entries.delete(name)
    else {
      const before = entries.get(name)?.mode ?? '100644'
      if (!before.startsWith('100')) throw refused(`“${name}” is no ordinary file`, 'Commit this change with git')
      const mode = change.executable === undefined ? before : change.executable ? '100755' : '100644'
      const blob = newObject('blob', change.content)
      made.push(blob)
      entries.set(name, { name, mode, oid: blob.oid })
    }
  }
  for (const [name, inner] of below) {
    const entry = entries.get(name)
    if (entry !== undefined && !isFolder(entry)) throw refused(`“${name}” is not a folder`, 'Correct the path')
    const oid = changedTree(objects, entry?.oid ?? null, inner, made)
    if (oid === null) entries.delete(name)
    else entries.set(name, { name, mode: '40000', oid })
  }
  if (entries.size === 0) return null
  const object = treeObject(entries)
  made.push(object)
  return object.oid
}

/** Git's order: by bytes, a folder as if its name ended in a slash. */
export function treeObject(entries: ReadonlyMap<string, TreeEntry>): NewObject {
  const rows = [...entries.values()].map((entry) => ({
    key: Buffer.from(isFolder(entry) ? `${entry.name}/` : entry.name),
    bytes: Buffer.concat([Buffer.from(`${entry.mode} ${entry.name}\0`), Buffer.from(entry.oid, 'hex')]),
  }))
  rows.sort((a, b) => Buffer.compare(a.key, b.key))
  return newObject('tree', Buffer.concat(rows.map(({ bytes }) => bytes)))
}

/** Git documentation, git-commit-tree: no angle brackets and no line ends in a name. */
export function personText({ name, email }: Person): string {
  const clean = (text: string): string => text.replace(/[<>\n\r\0]/g, '').trim()
  return `${clean(name)} <${clean(email)}>`
}

/** Seconds since 1970 and the zone of this host: `1767225600 +0100`. */
export function stamp(time: number): string {
  const minutes = -new Date(time).getTimezoneOffset()
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60]
  const zone = `${minutes < 0 ? '-' : '+'}${String(hours).padStart(2, '0')}${String(rest).padStart(2, '0')}`
  return `${Math.floor(time / 1000)} ${zone}`
}

function refused(message: string, remedy: string): RepositoryFault {
  return new RepositoryFault('refused', message, remedy)
}
