// The objects below a commit that somebody who has some other commits lacks: what a push must send.

import { type Commit, peelToCommit, readCommit } from './commit.ts'
import type { ObjectType } from './git-object.ts'
import { popNewest, pushByTime } from './history.ts'
import type { NewObject } from './new-object.ts'
import type { ObjectStore } from './object-store.ts'
import { RepositoryFault } from './repository.ts'
import type { Objects } from './source.ts'
import { isFolder, type TreeReader } from './tree.ts'

/** Bytes of one object above which it is not sent. */
const OBJECT_BYTES = 64 * 1024 * 1024

/**
 * Oldest commits first, each after its trees and files. `there` are objects that the other side has with all that is
 * below them, known here or not. Contents are read when they are asked for. Throws RepositoryFault `refused` where the
 * history is cut off here before it reaches what the other side has.
 */
export function lackingObjects(
  { store, trees, shallow }: Objects,
  to: string,
  there: Iterable<string>,
): readonly NewObject[] {
  const known = [...there].flatMap((oid) => peelToCommit(store, oid) ?? [])
  const lacking = lackingCommits(store, shallow, to, known)
  const sent = new Set<string>()
  const objects: NewObject[] = []
  const add = (oid: string, type: ObjectType): void => {
    sent.add(oid)
    objects.push(lazily(store, oid, type))
  }
  for (const { id, tree, parents } of lacking.toReversed()) {
    const before = parents.map((parent) => readCommit(store, parent).tree)
    addTree(trees, tree, before, sent, add)
    add(id, 'commit')
  }
  return objects
}

/** Commits reachable from `to` and from none of `known`, newest first. Commit times that lie cost bytes, and no more. */
function lackingCommits(
  store: ObjectStore,
  shallow: ReadonlySet<string>,
  to: string,
  known: readonly string[],
): readonly Commit[] {
  /** Whether the other side has it. */
  const has = new Map<string, boolean>()
  const queued = new Set<string>()
  const heap: Commit[] = []
  const walked: Commit[] = []
  let open = 0
  const mark = (id: string, there: boolean): void => {
    const before = has.get(id)
    if (before === true || before === there) return
    has.set(id, there)
    if (queued.has(id)) {
      open--
      return
    }
    queued.add(id)
    if (!there) open++
    pushByTime(heap, readCommit(store, id))
  }
  for (const id of known) mark(id, true)
  mark(to, false)
  for (
    let next = open > 0 ? popNewest(heap) : undefined;
    next !== undefined;
    next = open > 0 ? popNewest(heap) : undefined
  ) {
    queued.delete(next.id)
    const there = has.get(next.id) === true
    if (!there) {
      open--
      walked.push(next)
      if (shallow.has(next.id) && next.parents.length > 0) throw cutOff()
    }
    for (const parent of next.parents) if (!there || store.has(parent)) mark(parent, there)
  }
  return walked.filter(({ id }) => has.get(id) !== true)
}

/** What the tree holds and the trees `before` do not, at the same paths. */
function addTree(
  trees: TreeReader,
  tree: string,
  before: readonly string[],
  sent: ReadonlySet<string>,
  add: (oid: string, type: ObjectType) => void,
): void {
  const open = [{ tree, before }]
  for (let pair = open.pop(); pair !== undefined; pair = open.pop()) {
    if (sent.has(pair.tree) || pair.before.includes(pair.tree)) continue
    add(pair.tree, 'tree')
    const olds = pair.before.map((oid) => trees.read(oid))
    for (const entry of trees.read(pair.tree).values()) {
      const same = olds.flatMap((old) => old.get(entry.name) ?? [])
      if (isFolder(entry)) open.push({ tree: entry.oid, before: same.filter(isFolder).map(({ oid }) => oid) })
      // A submodule's commit is in another repository.
      else if (entry.mode !== '160000' && !sent.has(entry.oid) && !same.some(({ oid }) => oid === entry.oid))
        add(entry.oid, 'blob')
    }
  }
}

function lazily(store: ObjectStore, oid: string, type: ObjectType): NewObject {
  return {
    oid,
    type,
    get content() {
      const { content, size } = store.readUpTo(oid, OBJECT_BYTES)
      if (content !== null) return content
      throw new RepositoryFault('refused', `object ${oid} of ${size} bytes is too large to send`, 'Push it with git')
    },
  }
}

function cutOff(): RepositoryFault {
  return new RepositoryFault(
    'refused',
    'the history of this folder is cut off before it reaches what the server has',
    'Fetch the rest with git fetch --unshallow',
  )
}
