// A snapshot is what one commit (or a work tree) holds below the deployment's folder, read once and never changed.
// An entry that did not change between two commits is the very same object in both snapshots, so that whoever
// remembers what it made of an entry (a WeakMap) does the work of a change only for what changed.

/** Which kind of thing Git holds at a path. Only `file` has content that graft reads. */
export type EntryKind = 'file' | 'link' | 'submodule'

export interface SnapshotEntry {
  /** Path below the deployment's folder, with `/`, never absolute, never with `..`. */
  readonly path: string
  readonly kind: EntryKind
  /** Git's object id of the blob (40 hex digits); for a work tree the id the blob would have. */
  readonly oid: string
  /** Whether Git marks the file executable (mode 100755). */
  readonly executable: boolean
  /** Size in bytes where it is known; content above the limit is not loaded. */
  readonly size: number
  /** The bytes; null for links, submodules and files above the size limit. */
  readonly content: Uint8Array | null
}

/** Who made a commit and when, as far as graft shows it. */
export interface CommitFacts {
  /** 40 hex digits. */
  readonly id: string
  readonly parents: readonly string[]
  readonly subject: string
  readonly author: string
  /** Committer time in milliseconds since 1970. */
  readonly time: number
}

export interface Snapshot {
  /** Null for a work tree that is not committed. */
  readonly commit: CommitFacts | null
  /** Keyed by path. */
  readonly entries: ReadonlyMap<string, SnapshotEntry>
  /** Names that were not read at all (`..`, `.git`, a backslash …), each with the reason in words. */
  readonly refused?: readonly { readonly path: string; readonly why: string }[]
}

/** Bytes of one file above which its content is not loaded. */
export const FILE_SIZE_LIMIT = 1024 * 1024
