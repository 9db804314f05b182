// A commit lands in a person's own repository: loose objects, then the branch, then the work tree and its index where
// there is one. Real Git is kept away meanwhile by the lock files that it respects itself.

import fs from 'node:fs'
import { dirname, join } from 'node:path'
import { movedOn } from './commit-files.ts'
import { codeOf } from './git-object.ts'
import { personText, stamp } from './make-commit.ts'
import { writeDurably, writeLoose } from './new-object.ts'
import type { Refs } from './refs.ts'
import { type FileChange, type Person, RepositoryFault } from './repository.ts'
import type { Landing } from './source.ts'

export interface LocalPlace {
  readonly gitdir: string
  /** Null for a bare repository. */
  readonly worktree: string | null
  readonly refs: Refs
}

/**
 * A work tree is on the branch, and has no changes of its own in these files; a branch that was named may be apart from
 * it. Throws RepositoryFault `refused`.
 */
export async function admitLocally(
  place: LocalPlace,
  { ref, from, changes, apart }: Pick<Landing, 'ref' | 'from' | 'changes' | 'apart'>,
): Promise<void> {
  const { gitdir, worktree, refs } = place
  if (from === null) refuseClash(refs, ref)
  if (worktree === null) return
  const branch = ref.replace(/^refs\/heads\//, '')
  const head = refs.headBranch()
  if (head !== ref) {
    if (apart) return
    const where = head === null ? 'no branch' : head.replace(/^refs\/heads\//, '')
    throw refused(`${worktree} is on ${where}, and ${branch} is deployed`, `Check it out first: git switch ${branch}`)
  }
  if (from === null) throw refused(`${worktree} is on ${branch}, which has no commit yet`, 'Choose another branch')
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
  const { gitdir, worktree, refs } = place
  for (const object of landing.objects) writeLoose(join(gitdir, 'objects'), object)
  const { ref, from, to, author, time } = landing
  const move: RefMove = { ref, from, to, log: { author, time, words: `commit: ${landing.subject}` } }
  if (worktree === null || refs.headBranch() !== ref) return moveRef(place, move)
  const release = holdLock(join(gitdir, 'index'))
  try {
    moveRef(place, move)
    await followInWorktree(gitdir, worktree, landing.changes)
  } finally {
    release()
  }
}

export interface RefMove {
  /** Full name. */
  readonly ref: string
  /** Null: it must not be there yet. */
  readonly from: string | null
  readonly to: string
  /** For the ref's log, where one is kept. `time` in milliseconds since 1970. */
  readonly log: { readonly author: Person; readonly time: number; readonly words: string } | null
}

/** Compares and swaps, as `git update-ref REF NEW OLD`. Throws RepositoryFault `moved`, `refused`. */
export function moveRef({ gitdir, refs }: Pick<LocalPlace, 'gitdir' | 'refs'>, { ref, from, to, log }: RefMove): void {
  if (from === null) refuseClash(refs, ref)
  const path = join(gitdir, ref)
  fs.mkdirSync(dirname(path), { recursive: true })
  const release = holdLock(path)
  try {
    if (refs.read(ref) !== from) throw movedOn(ref)
    // Git leaves folders behind where refs below them went.
    if (fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) removeEmpty(path)
    writeDurably(path, Buffer.from(`${to}\n`), 0o644)
  } finally {
    release()
  }
  if (log === null) return
  const logs = join(gitdir, 'logs')
  const line = `${from ?? '0'.repeat(40)} ${to} ${personText(log.author)} ${stamp(log.time)}\t${log.words}\n`
  for (const name of refs.headBranch() === ref ? [ref, 'HEAD'] : [ref]) {
    const file = join(logs, name)
    // A new branch gets a log where HEAD has one: that is where Git would begin one as well.
    const begins = from === null && ref.startsWith('refs/heads/') && fs.existsSync(join(logs, 'HEAD'))
    if (begins) fs.mkdirSync(dirname(file), { recursive: true })
    if (begins || fs.existsSync(file)) fs.appendFileSync(file, line)
  }
}

/** A ref is a file and cannot be the folder of another one. */
function refuseClash(refs: Refs, ref: string): void {
  const parts = ref.split('/')
  const above = parts.slice(3).map((_, depth) => parts.slice(0, depth + 3).join('/'))
  const clash = above.find((name) => refs.read(name) !== null) ?? refs.list(`${ref}/`)[0]
  if (clash === undefined) return
  const short = (name: string): string => name.replace(/^refs\/heads\//, '')
  throw refused(
    `there cannot be a branch ${short(ref)} beside ${short(clash)}, which is there already`,
    'Choose another name',
  )
}

function removeEmpty(folder: string): void {
  for (const name of fs.readdirSync(folder)) removeEmpty(join(folder, name))
  fs.rmdirSync(folder)
}

async function followInWorktree(gitdir: string, worktree: string, changes: readonly FileChange[]): Promise<void> {
  const { default: git } = await import('isomorphic-git')
  for (const { path, content, executable } of changes) {
    const full = join(worktree, path)
    if (content === null) {
      fs.rmSync(full, { force: true })
      removeEmptyAbove(worktree, path)
      await git.remove({ fs, dir: worktree, gitdir, filepath: path })
      continue
    }
    const before = fs.lstatSync(full, { throwIfNoEntry: false })
    fs.mkdirSync(dirname(full), { recursive: true })
    const mode = before === undefined ? 0o644 : before.mode & 0o777
    writeDurably(full, content, executable === undefined ? mode : executable ? mode | 0o111 : mode & 0o666)
    await git.updateIndex({ fs, dir: worktree, gitdir, filepath: path, add: true })
  }
}

/** As Git does where the last file of a folder goes. */
function removeEmptyAbove(worktree: string, path: string): void {
  for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) {
    try {
      fs.rmdirSync(join(worktree, folder))
    } catch (error) {
      if (['ENOTEMPTY', 'EEXIST', 'ENOENT', 'ENOTDIR'].includes(codeOf(error))) return
      throw error
    }
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
