// Keeps graft's own repository of notes small: each note makes a few loose objects and each fetch a pack, and the history
// of the notes is of no use here. Only what the tip holds stays, in one pack. A person's repository is left to their Git.

import fs from 'node:fs'
import { dirname, join } from 'node:path'
import { readCommit } from './commit.ts'
import { newObject, type NewObject, packOf, writeDurably, writeLoose } from './new-object.ts'
import { NOTES_REF, type NotesStore, type NoteWriter } from './notes-store.ts'
import type { ObjectType } from './git-object.ts'
import { personText, stamp } from './make-commit.ts'
import { isFolder } from './tree.ts'

export interface Clutter {
  readonly loose: number
  readonly packs: number
}

const TOO_MUCH: Clutter = { loose: 2_000, packs: 50 }
/** Bytes of everything that the tip holds; above, all stays as it is. */
const PACK_BYTES = 128 * 1024 ** 2

/**
 * Only for who holds the lock. Where the server has the tip, its history is cut off there as in a shallow clone; else the
 * tip becomes one commit without parents.
 */
export async function tidyNotes(store: NotesStore, writer: NoteWriter, allowed: Clutter = TOO_MUCH): Promise<void> {
  const { gitdir } = store
  const old = filesIn(gitdir)
  const packs = old.filter((path) => path.endsWith('.pack')).length
  const loose = old.filter((path) => /\/[0-9a-f]{2}\/[0-9a-f]{38}$/.test(path)).length
  const tip = store.tip()
  if ((packs <= allowed.packs && loose <= allowed.loose) || tip === null) return
  const { tree } = readCommit(store.store, tip)
  const objects = below(store, tree)
  const isThere = store.seen() === tip
  const kept = isThere ? read(store, tip, 'commit') : alone(tree, writer)
  const pack = packOf([...objects, kept], PACK_BYTES)
  if (pack === null) return
  const place = join('objects', 'pack', `pack-${pack.toString('hex', pack.length - 20)}.pack`)
  fs.mkdirSync(dirname(join(gitdir, place)), { recursive: true })
  writeDurably(join(gitdir, place), pack, 0o444)
  const { default: git } = await import('isomorphic-git')
  await git.indexPack({ fs, dir: gitdir, gitdir, filepath: place })
  if (isThere) writeDurably(join(gitdir, 'shallow'), Buffer.from(`${tip}\n`), 0o644)
  else {
    store.move(tip, kept.oid, writer)
    fs.rmSync(join(gitdir, 'shallow'), { force: true })
  }
  const keeps = new Set([join(gitdir, place), join(gitdir, place.replace(/pack$/, 'idx'))])
  for (const path of old) if (!keeps.has(path)) fs.rmSync(path, { force: true })
}

/** Where the history was cut off and the server has none of it any more: the tip as one commit without parents. */
export function startAnew(store: NotesStore, tip: string, writer: NoteWriter): string {
  const commit = alone(readCommit(store.store, tip).tree, writer)
  writeLoose(join(store.gitdir, 'objects'), commit)
  store.move(tip, commit.oid, writer)
  fs.rmSync(join(store.gitdir, 'shallow'), { force: true })
  return commit.oid
}

function alone(tree: string, { by, sign }: NoteWriter): NewObject {
  const who = `${personText(by)} ${stamp(Date.now())}`
  const content = Buffer.from(`tree ${tree}\nauthor ${who}\ncommitter ${who}\n\nNotes until now (${NOTES_REF})\n`)
  return newObject('commit', sign === null ? content : sign(content))
}

/** The tree and all that it holds. */
function below({ trees, store }: NotesStore, root: string): NewObject[] {
  const found = new Map<string, NewObject>()
  const open = [root]
  for (let tree = open.pop(); tree !== undefined; tree = open.pop()) {
    found.set(tree, read({ store }, tree, 'tree'))
    for (const entry of trees.read(tree).values()) {
      if (found.has(entry.oid) || entry.mode === '160000') continue
      if (isFolder(entry)) open.push(entry.oid)
      else found.set(entry.oid, read({ store }, entry.oid, 'blob'))
    }
  }
  return [...found.values()]
}

function read({ store }: Pick<NotesStore, 'store'>, oid: string, type: ObjectType): NewObject {
  return {
    oid,
    type,
    get content() {
      return store.read(oid).content
    },
  }
}

/** Paths of all loose objects and packs. */
function filesIn(gitdir: string): string[] {
  const folders = fs.readdirSync(join(gitdir, 'objects')).filter((name) => name === 'pack' || name.length === 2)
  return folders.flatMap((folder) => {
    const path = join(gitdir, 'objects', folder)
    return fs.readdirSync(path).map((name) => join(path, name))
  })
}
