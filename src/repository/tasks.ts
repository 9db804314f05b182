// The tasks of the Git child: each is told a repository, and gives what the parent asked for.

import { factsOf, readCommit, readCommitText } from './commit.ts'
import { MissingObject } from './git-object.ts'
import { walkAncestors, walkFirstParents } from './history.ts'
import { type RepositoryLimits, tooManyFiles } from './limits.ts'
import { missingCommit, missingFolder } from './missing-ref.ts'
import type { ObjectStore } from './object-store.ts'
import type { Tasks } from './protocol.ts'
import { type Send, sendFiles } from './read-files.ts'
import type { CommitFacts } from './snapshot.ts'
import type { Objects } from './source.ts'
import { compareTrees, isFolder, type TreeReader } from './tree.ts'

const ANCESTORS_AT_ONCE = 2000

/** The deployment's folder at a commit, or what differs from the `base` commit where that is still there. */
export async function takeSnapshot(
  { store, trees }: Objects,
  folder: string,
  limits: RepositoryLimits,
  { commit, base, folder: wanted }: Tasks['snapshot']['takes'],
  send: Send<Tasks['snapshot']['part']>,
): Promise<Tasks['snapshot']['gives']> {
  const facts = commitAt(store, commit)
  const tree =
    wanted === 'optional' ? treeBelow(trees, facts.tree, folder) : folderTree(trees, facts.tree, folder, commit)
  const baseTree = base === null ? null : baseTreeOf(store, trees, base, folder)
  const difference = compareTrees(trees, baseTree, tree, (files) => {
    if (files > limits.filesPerSnapshot) throw tooManyFiles(limits)
  })
  await sendFiles(store, difference.files, limits, send)
  const { removed, refused, unrefused } = difference
  return {
    commit: factsOf(facts),
    difference: { whole: baseTree === null, removed, refused, unrefused, kept: [] },
  }
}

export async function takeFirstParents(
  { store, shallow }: Objects,
  { commit, count }: Tasks['firstParents']['takes'],
): Promise<Tasks['firstParents']['gives']> {
  commitAt(store, commit)
  return walkFirstParents(store, shallow, commit, count)
}

export async function takeAncestors(
  { store, shallow }: Objects,
  { commit }: Tasks['ancestors']['takes'],
  send: Send<CommitFacts[]>,
): Promise<Tasks['ancestors']['gives']> {
  commitAt(store, commit)
  const walk = walkAncestors(store, shallow, commit)
  let batch: CommitFacts[] = []
  for (;;) {
    const step = walk.next()
    if (step.done === true) {
      if (batch.length > 0) await send(batch)
      return { complete: step.value }
    }
    if (batch.push(step.value) < ANCESTORS_AT_ONCE) continue
    await send(batch)
    batch = []
  }
}

export async function takeCommitText(
  { store }: Objects,
  { commit }: Tasks['commitText']['takes'],
): Promise<Tasks['commitText']['gives']> {
  commitAt(store, commit)
  return readCommitText(store, commit)
}

/** How many files outside `folder` a commit changed, against its first parent. */
export async function takeFilesOutside(
  { store, trees }: Objects,
  folder: string,
  limits: RepositoryLimits,
  { commit }: Tasks['filesOutside']['takes'],
): Promise<Tasks['filesOutside']['gives']> {
  if (folder === '') return 0
  const { parents, tree } = commitAt(store, commit)
  const [parent] = parents
  const before = parent === undefined ? null : commitAt(store, parent).tree
  const { files, removed } = compareTrees(trees, before, tree, (count) => {
    if (count > limits.filesPerSnapshot) throw tooManyFiles(limits)
  })
  const outside = [...files.map(({ path }) => path), ...removed].filter((path) => !path.startsWith(`${folder}/`))
  return new Set(outside).size
}

/** A commit that somebody named is not there: their mistake, or a history that went away, never damage. */
function commitAt(store: ObjectStore, commit: string): ReturnType<typeof readCommit> {
  if (!store.has(commit)) throw missingCommit(commit, 'the repository')
  return readCommit(store, commit)
}

function folderTree(trees: TreeReader, root: string, folder: string, commit: string): string {
  let tree = root
  for (const name of folder === '' ? [] : folder.split('/')) {
    const entry = trees.read(tree).get(name)
    if (entry === undefined) throw missingFolder(folder, commit, '')
    if (!isFolder(entry)) throw missingFolder(folder, commit, `: “${name}” is not a folder`)
    tree = entry.oid
  }
  return tree
}

/** Null where the folder is not there. */
function treeBelow(trees: TreeReader, root: string, folder: string): string | null {
  let tree = root
  for (const name of folder === '' ? [] : folder.split('/')) {
    const entry = trees.read(tree).get(name)
    if (entry === undefined || !isFolder(entry)) return null
    tree = entry.oid
  }
  return tree
}

function baseTreeOf(store: ObjectStore, trees: TreeReader, base: string, folder: string): string | null {
  try {
    return treeBelow(trees, readCommit(store, base).tree, folder)
  } catch (error) {
    if (error instanceof MissingObject) return null
    throw error
  }
}
