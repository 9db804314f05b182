// Snapshots in memory, for tests: what a repository would give for these files.

import { createHash } from 'node:crypto'
import type { CommitFacts, Snapshot, SnapshotEntry } from '../../../src/repository/snapshot.ts'

/** A file's text or bytes, or another kind of entry. */
export type FileContent = string | Uint8Array | { readonly kind: 'link' | 'submodule' } | { readonly size: number }

export interface SnapshotOptions {
  readonly commit?: CommitFacts | null
  /** Entries equal to those of `base` are the same objects, as a repository gives them. */
  readonly base?: Snapshot
  readonly refused?: Snapshot['refused']
}

/** `{path: content}` → Snapshot. `{size}`: a file above the limit, whose content was not loaded. */
export function snapshotOf(files: Readonly<Record<string, FileContent>>, options: SnapshotOptions = {}): Snapshot {
  const entries = new Map<string, SnapshotEntry>()
  for (const [path, content] of Object.entries(files)) {
    const entry = entryOf(path, content)
    const before = options.base?.entries.get(path)
    entries.set(path, before !== undefined && before.oid === entry.oid && before.kind === entry.kind ? before : entry)
  }
  const snapshot = { commit: options.commit ?? null, entries }
  return options.refused === undefined ? snapshot : { ...snapshot, refused: options.refused }
}

function entryOf(path: string, content: FileContent): SnapshotEntry {
  const rest = { path, executable: false }
  if (typeof content !== 'string' && 'kind' in content) {
    return { ...rest, kind: content.kind, oid: oidOf(content.kind), size: 0, content: null }
  }
  if (typeof content !== 'string' && !(content instanceof Uint8Array)) {
    return { ...rest, kind: 'file', oid: oidOf(`${content.size}`), size: content.size, content: null }
  }
  const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content
  return { ...rest, kind: 'file', oid: oidOf(bytes), size: bytes.length, content: bytes }
}

function oidOf(content: string | Uint8Array): string {
  return createHash('sha1').update(content).digest('hex')
}
