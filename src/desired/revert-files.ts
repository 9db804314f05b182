// What has to be written so that files are again as they were: one file, what a commit changed, or a whole folder.
// Snapshots in, changes or conflicts out. Pure.

import type { FileChange } from '../repository/repository.ts'
import type { Snapshot, SnapshotEntry } from '../repository/snapshot.ts'

export interface PutBack {
  /** Against the newest snapshot: files that go first, then the others, each by path. */
  readonly changes: readonly FileChange[]
  /** What would have to be written and cannot be. */
  readonly unwritable: readonly Unwritable[]
}

export interface Unwritable {
  readonly path: string
  /** `a symbolic link`. */
  readonly what: string
}

export interface Inverse extends PutBack {
  /** Paths that are neither as the commit left them nor as they were before it. */
  readonly conflicts: readonly string[]
  /** How many files the commit changed. */
  readonly touched: number
}

/**
 * The inverse of a commit: `before` is its first parent, `after` the commit itself, `now` what it is taken back from. A
 * file that is already as it was before counts as done.
 */
export function inverseOf(before: Snapshot, after: Snapshot, now: Snapshot): Inverse {
  const conflicts: string[] = []
  const back: string[] = []
  let touched = 0
  for (const path of pathsOf(before, after)) {
    const [was, became, is] = [before, after, now].map(({ entries }) => entries.get(path))
    if (isSame(was, became)) continue
    touched++
    if (isSame(is, was)) continue
    if (isSame(is, became)) back.push(path)
    else conflicts.push(path)
  }
  return { ...putBack(before, now, back), conflicts, touched }
}

/** Everything below a folder as it was, without what came since; `folder` '' is the whole deployment. */
export function folderAsItWas(then: Snapshot, now: Snapshot, folder: string): PutBack {
  const prefix = folder === '' ? '' : `${folder}/`
  return putBack(
    then,
    now,
    pathsOf(then, now).filter((path) => path.startsWith(prefix)),
  )
}

/** The named paths of `now` as they are in `then`. */
export function putBack(then: Snapshot, now: Snapshot, paths: readonly string[]): PutBack {
  const gone: FileChange[] = []
  const written: FileChange[] = []
  const unwritable: Unwritable[] = []
  for (const path of [...new Set(paths)].toSorted()) {
    const [was, is] = [then.entries.get(path), now.entries.get(path)]
    if (isSame(was, is)) continue
    const what = whyUnwritable(was) ?? (is?.kind === 'file' ? null : whyUnwritable(is))
    if (what !== null) unwritable.push({ path, what })
    else if (was === undefined) gone.push({ path, content: null })
    else if (was.content !== null) written.push({ path, content: was.content, ...modeOf(was, is) })
  }
  return { changes: [...gone, ...written], unwritable }
}

export function isSame(one: SnapshotEntry | undefined, other: SnapshotEntry | undefined): boolean {
  if (one === other) return true
  return one?.oid === other?.oid && one?.kind === other?.kind && one?.executable === other?.executable
}

function modeOf(was: SnapshotEntry, is: SnapshotEntry | undefined): Pick<FileChange, 'executable'> {
  const { executable } = was
  return executable === (is?.executable ?? false) ? {} : { executable }
}

function pathsOf(one: Snapshot, other: Snapshot): string[] {
  return [...new Set([...one.entries.keys(), ...other.entries.keys()])]
}

function whyUnwritable(entry: SnapshotEntry | undefined): string | null {
  if (entry === undefined) return null
  if (entry.kind === 'link') return 'a symbolic link'
  if (entry.kind === 'submodule') return 'a submodule'
  return entry.content === null ? 'larger than 1 MiB' : null
}
