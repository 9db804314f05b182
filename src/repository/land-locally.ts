// A commit lands in a person's own repository: loose objects, then the branch, then the work tree and its index where
// there is one. Real Git is kept away meanwhile by the lock files that it respects itself.

import fs from 'node:fs'
import { dirname, join } from 'node:path'
import { movedOn } from './commit-files.ts'
import { codeOf } from './git-object.ts'
import { personText, stamp } from './make-commit.ts'
import { writeDurably, writeLoose } from './new-object.ts'
import type { Refs } from './refs.ts'
import { type FileChange, RepositoryFault } from './repository.ts'
import type { Landing } from './source.ts'

export interface LocalPlace {
  readonly gitdir: string
  /** Null for a bare repository. */
  readonly worktree: string | null
  readonly refs: Refs
}

/** A work tree is on the branch, and has no changes of its own in these files. Throws RepositoryFault `refused`. */
export async function admitLocally(place: LocalPlace, ref: string, changes: readonly FileChange[]): Promise<void> {
  const { gitdir, worktree, refs } = place
  if (worktree === null) return
  const branch = ref.replace(/^refs\/heads\//, '')
  const head = refs.headBranch()
  if (head !== ref) {
    const where = head === null ? 'no branch' : head.replace(/^refs\/heads\//, '')
    throw refused(`${worktree} is on ${where}, and ${branch} is deployed`, `Check it out first: git switch ${branch}`)
  }
  const { default: git } = await import('isomorphic-git')
  for (const { path } of changes) {
    const status = await git.status({ fs, dir: worktree, gitdir, filepath: path }).catch((error: unknown) => {
      const words = error instanceof Error ? error.message : String(error)
      throw refused(`the index of ${worktree} cannot be read: ${words}`, 'Commit this change with git')
    })
    if (status === 'unmodified' || status === 'absent') continue
    const why = status === 'ignored' ? 'is ignored by Git' : 'has changes that are not committed'
    throw refused(`${path} ${why}`, 'Commit them, or take them back, and then do this again')
  }
}

/** Throws RepositoryFault: `moved`, `refused` where another Git is at work. */
export async function landLocally(place: LocalPlace, landing: Landing): Promise<void> {
  const { gitdir, worktree } = place
  for (const object of landing.objects) writeLoose(join(gitdir, 'objects'), object)
  if (worktree === null) return moveBranch(place, landing)
  const release = holdLock(join(gitdir, 'index'))
  try {
    moveBranch(place, landing)
    await followInWorktree(gitdir, worktree, landing.changes)
  } finally {
    release()
  }
}

/** Compares and swaps, as `git update-ref REF NEW OLD`. */
function moveBranch({ gitdir, refs }: LocalPlace, { ref, from, to, author, subject, time }: Landing): void {
  const path = join(gitdir, ref)
  fs.mkdirSync(dirname(path), { recursive: true })
  const release = holdLock(path)
  try {
    if (refs.read(ref) !== from) throw movedOn(ref)
    writeDurably(path, Buffer.from(`${to}\n`), 0o644)
  } finally {
    release()
  }
  const line = `${from} ${to} ${personText(author)} ${stamp(time)}\tcommit: ${subject}\n`
  for (const name of refs.headBranch() === ref ? [ref, 'HEAD'] : [ref]) {
    const log = join(gitdir, 'logs', name)
    if (fs.existsSync(log)) fs.appendFileSync(log, line)
  }
}

async function followInWorktree(gitdir: string, worktree: string, changes: readonly FileChange[]): Promise<void> {
  const { default: git } = await import('isomorphic-git')
  for (const { path, content } of changes) {
    const full = join(worktree, path)
    if (content === null) {
      fs.rmSync(full, { force: true })
      await git.remove({ fs, dir: worktree, gitdir, filepath: path })
      continue
    }
    const before = fs.lstatSync(full, { throwIfNoEntry: false })
    fs.mkdirSync(dirname(full), { recursive: true })
    writeDurably(full, content, before === undefined ? 0o644 : before.mode & 0o777)
    await git.updateIndex({ fs, dir: worktree, gitdir, filepath: path, add: true })
  }
}

/** The lock file that Git itself takes; the returned function removes it. */
function holdLock(path: string): () => void {
  const lock = `${path}.lock`
  try {
    fs.closeSync(fs.openSync(lock, 'wx'))
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
    throw refused(`another Git is at work in this repository (${lock} is there)`, 'Wait for it, or remove the file')
  }
  return () => fs.rmSync(lock, { force: true })
}

function refused(message: string, remedy: string): RepositoryFault {
  return new RepositoryFault('refused', message, remedy)
}
