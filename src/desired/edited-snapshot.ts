// A snapshot with some files changed, as if the change were committed: what an edit would mean is read from it before
// anything is written. Pure.

import { createHash } from 'node:crypto'
import type { FileChange } from '../repository/repository.ts'
import type { Snapshot, SnapshotEntry } from '../repository/snapshot.ts'
import { LARGEST_READ_LIMITS } from './read-limits.ts'

/**
 * The snapshot after `changes`, which belongs to no commit. Entries that stay are the same objects, and so are those
 * that a change leaves as they are; new ones have the id that Git gives their content (git-hash-object). A file that
 * was executable stays so. `changes` that change nothing give the very same snapshot.
 */
export function editedSnapshot(snapshot: Snapshot, changes: readonly FileChange[]): Snapshot {
  const entries = new Map(snapshot.entries)
  let came = false
  let changed = false
  for (const { path, content, executable } of changes) {
    const before = entries.get(path)
    if (content === null) {
      changed = entries.delete(path) || changed
      continue
    }
    const after = entryOf(path, content, executable ?? before?.executable ?? false)
    if (before?.kind === 'file' && before.oid === after.oid && before.executable === after.executable) continue
    came ||= before === undefined
    changed = true
    entries.set(path, after)
  }
  if (!changed) return snapshot
  // A snapshot lists its entries by path.
  const sorted = came ? new Map([...entries].toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))) : entries
  const { refused } = snapshot
  return { commit: null, entries: sorted, ...(refused === undefined ? {} : { refused }) }
}

function entryOf(path: string, content: Uint8Array, executable: boolean): SnapshotEntry {
  const oid = createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex')
  const kept = content.length > LARGEST_READ_LIMITS.fileBytes ? null : content
  return { path, kind: 'file', oid, executable, size: content.length, content: kept }
}
