// Puts together a snapshot out of what the child sends and the snapshot before, keeping every entry that is the same.

import { type RepositoryLimits, tooManyFiles, tooMuchContent } from './limits.ts'
import type { Difference, FileBatch } from './protocol.ts'
import type { CommitFacts, Snapshot, SnapshotEntry } from './snapshot.ts'

export interface Assembly {
  add(batch: FileBatch): void
  /** Throws RepositoryFault `too-large` where the snapshot as a whole is above the limits. */
  finish(commit: CommitFacts | null, difference: Difference): Snapshot
}

/** Entries are in the order of their paths (by UTF-16 code units), whatever the base was. */
export function openAssembly(base: Snapshot | undefined, limits: RepositoryLimits): Assembly {
  const fresh: SnapshotEntry[] = []
  const known = base?.entries ?? new Map<string, SnapshotEntry>()

  return {
    add({ files, bytes }) {
      let at = 0
      for (const { path, kind, oid, executable, size, sent } of files) {
        // A copy of its own: a part of the batch would keep all of the batch in memory.
        const content = sent ? new Uint8Array(bytes.subarray(at, at + size)) : null
        if (sent) at += size
        const before = known.get(path)
        const same = before?.oid === oid && before.kind === kind && before.executable === executable
        fresh.push(same ? before : { path, kind, oid, executable, size, content })
      }
    },
    finish(commit, difference) {
      const { entries, sorted } = difference.whole ? whole(difference) : changed(difference)
      if (entries.size > limits.filesPerSnapshot) throw tooManyFiles(limits)
      let total = 0
      for (const { content } of entries.values()) total += content?.length ?? 0
      if (total > limits.contentBytes) throw tooMuchContent(limits)
      return { commit, entries: sorted ? entries : inOrder(entries), refused: refusals(difference) }
    },
  }

  function whole({ kept }: Difference): { entries: Map<string, SnapshotEntry>; sorted: boolean } {
    const entries = new Map<string, SnapshotEntry>()
    for (const path of kept) {
      const before = known.get(path)
      if (before !== undefined) entries.set(path, before)
    }
    for (const entry of fresh) entries.set(entry.path, entry)
    return { entries, sorted: false }
  }

  function changed({ removed }: Difference): { entries: Map<string, SnapshotEntry>; sorted: boolean } {
    const entries = new Map(known)
    for (const path of removed) entries.delete(path)
    const before = entries.size
    let replaced = 0
    for (const entry of fresh) {
      if (entries.has(entry.path)) replaced++
      entries.set(entry.path, entry)
    }
    return { entries, sorted: entries.size === before && replaced === fresh.length }
  }

  function refusals({ whole: all, refused, unrefused }: Difference): { path: string; why: string }[] {
    const gone = new Set(unrefused)
    const before = all ? [] : (base?.refused ?? []).filter(({ path }) => !gone.has(path))
    return [...before, ...refused].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
  }
}

function inOrder(entries: ReadonlyMap<string, SnapshotEntry>): Map<string, SnapshotEntry> {
  return new Map([...entries].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
}
