// Where notes lie: in a bare repository of graft's own in the state folder, or straight in a person's repository.

import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { peelToCommit, readCommit } from './commit.ts'
import { walkAncestors } from './history.ts'
import { openRemote } from './open-remote.ts'
import { moveRef } from './land-locally.ts'
import { readShallow } from './local-source.ts'
import { personText, stamp } from './make-commit.ts'
import { newObject, type NewObject, writeDurably, writeLoose } from './new-object.ts'
import { mergeNotes } from './note-text.ts'
import { changedNotes, changeNotes, noteIn } from './notes-tree.ts'
import { openObjectStore } from './object-store.ts'
import type { Setup } from './protocol.ts'
import { remoteOf } from './push-branch.ts'
import { openRefs } from './refs.ts'
import type { Remote } from './remote-refs.ts'
import type { Person } from './repository.ts'
import type { Signer } from './signing-key.ts'
import type { Objects } from './source.ts'
import { openTreeReader } from './tree.ts'

export const NOTES_REF = 'refs/notes/graft'

/** Who writes notes, and how the commit of the notes ref is signed. */
export interface NoteWriter {
  readonly by: Person
  readonly message: string
  readonly sign: Signer | null
}

export interface NotesStore extends Objects {
  readonly gitdir: string
  /** The commit of the notes ref; null where there is none. */
  tip(): string | null
  /** The text of the note on an object as of a commit of a notes ref; null where there is none. */
  read(tip: string | null, id: string): string | null
  /** Adds a commit with these texts (null takes a note away) on top of `parents`; the first one's where nothing changes. */
  commit(parents: readonly string[], texts: ReadonlyMap<string, string | null>, writer: NoteWriter): string | null
  /** `ours` brought together with `theirs`: either, where it holds the other, or a commit on top of theirs. */
  merge(theirs: string | null, ours: string | null, writer: NoteWriter): string | null
  /** Compares and swaps. Throws RepositoryFault `moved`, `refused` where another Git is at work. */
  move(from: string | null, to: string, writer: NoteWriter): void
  /** What the server's notes ref stood for when it was last seen; null where that is not here. */
  seen(): string | null
  keepSeen(tip: string): void
  close(): void
}

/** `own`: the folder in the state folder; also of a person's repository, for the lock and what was seen. */
export function openNotesStore({ source }: Setup, own: string): NotesStore {
  const gitdir = source.kind === 'local' ? source.gitdir : own
  if (source.kind === 'remote') makeBare(own)
  else mkdirSync(own, { recursive: true, mode: 0o700 })
  const objects = join(gitdir, 'objects')
  const store = openObjectStore([objects])
  const trees = openTreeReader(store)
  const refs = openRefs(gitdir)
  const shallow = readShallow(gitdir)
  const seenFile = join(own, 'seen')

  const treeOf = (commit: string | null): string | null => (commit === null ? null : readCommit(store, commit).tree)

  function read(tip: string | null, id: string): string | null {
    const texts = noteIn(trees, treeOf(tip), id).map((oid) => store.read(oid).content.toString('utf8'))
    return texts.length === 0 ? null : texts.reduce((all, text) => mergeNotes(all, text))
  }

  function commit(
    parents: readonly string[],
    texts: ReadonlyMap<string, string | null>,
    { by, message, sign }: NoteWriter,
  ): string | null {
    const [first = null] = parents
    const made: NewObject[] = []
    const blobs = new Map<string, string | null>()
    for (const [id, text] of texts) {
      const blob = text === null ? null : newObject('blob', Buffer.from(text))
      if (blob !== null) made.push(blob)
      blobs.set(id, blob?.oid ?? null)
    }
    const before = treeOf(first)
    const { root, objects: folders } = changeNotes(trees, before, blobs)
    made.push(...folders)
    if (root === before && parents.length < 2) return first
    const tree = root ?? newObject('tree', Buffer.alloc(0)).oid
    if (root === null) made.push(newObject('tree', Buffer.alloc(0)))
    const who = `${personText(by)} ${stamp(Date.now())}`
    const head = [`tree ${tree}`, ...parents.map((parent) => `parent ${parent}`), `author ${who}`, `committer ${who}`]
    const content = Buffer.from(`${head.join('\n')}\n\n${message}\n`)
    const object = newObject('commit', sign === null ? content : sign(content))
    for (const one of [...made, object]) writeLoose(objects, one)
    return object.oid
  }

  function merge(theirs: string | null, ours: string | null, writer: NoteWriter): string | null {
    if (theirs === null || ours === null || theirs === ours) return ours ?? theirs
    const base = commonAncestor({ store, trees, shallow }, theirs, ours)
    if (base === theirs) return ours
    if (base === ours) return theirs
    const texts = new Map<string, string | null>()
    for (const id of changedNotes(trees, treeOf(base), treeOf(ours))) {
      const [text, there] = [read(ours, id), read(theirs, id)]
      if (text !== null) texts.set(id, there === null ? text : mergeNotes(there, text))
      // Taken away here, and not touched there.
      else if (there !== null && there === read(base, id)) texts.set(id, null)
    }
    // In a person's repository their own commits stay part of the history.
    return commit(source.kind === 'local' ? [theirs, ours] : [theirs], texts, writer)
  }

  return {
    store,
    trees,
    shallow,
    gitdir,
    read,
    commit,
    merge,
    tip() {
      const found = refs.read(NOTES_REF)
      return found === null ? null : peelToCommit(store, found)
    },
    move(from, to, { by, message: words }) {
      if (from === to) return
      moveRef({ gitdir, refs }, { ref: NOTES_REF, from, to, log: { author: by, time: Date.now(), words } })
    },
    seen() {
      const id = existsSync(seenFile) ? readFileSync(seenFile, 'utf8').trim() : ''
      return /^[0-9a-f]{40}$/.test(id) && store.has(id) ? id : null
    },
    keepSeen: (tip) => writeDurably(seenFile, Buffer.from(`${tip}\n`), 0o600),
    close: () => store.close(),
  }
}

/** Where notes are pushed to: the repository's server, or the remote of a person's folder. Throws RepositoryFault. */
export function notesRemote({ source, access, limits }: Setup): Remote {
  if (source.kind === 'remote') return openRemote(source.url, access, limits)
  const { gitdir, worktree } = source
  const found = remoteOf({ gitdir, worktree, refs: openRefs(gitdir) })
  return openRemote(found.url, { ...access, auth: { ...found.auth, ...access.auth } }, limits)
}

/** A commit that both hold; null where their histories have nothing in common. */
function commonAncestor({ store, shallow }: Objects, one: string, other: string): string | null {
  const walks = [one, other].map((tip) => ({ seen: new Set<string>(), walk: walkAncestors(store, shallow, tip) }))
  const [a, b] = walks
  if (a === undefined || b === undefined) return null
  for (let more = true; more;) {
    more = false
    for (const [own, others] of [
      [a, b],
      [b, a],
    ] as const) {
      const next = own.walk.next()
      if (next.done === true) continue
      if (others.seen.has(next.value.id)) return next.value.id
      own.seen.add(next.value.id)
      more = true
    }
  }
  return null
}

/** A repository that native Git opens as well. */
function makeBare(folder: string): void {
  if (existsSync(join(folder, 'HEAD'))) return
  for (const name of ['objects/info', 'objects/pack', 'refs/heads', 'refs/notes']) {
    mkdirSync(join(folder, name), { recursive: true, mode: 0o700 })
  }
  writeDurably(join(folder, 'config'), Buffer.from('[core]\n\trepositoryformatversion = 0\n\tbare = true\n'), 0o600)
  writeDurably(join(folder, 'HEAD'), Buffer.from('ref: refs/heads/main\n'), 0o600)
}
