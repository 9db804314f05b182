// What graft needs of a Git repository, remote or local. Implementations do their Git work in a child process.

import type { CommitFacts, Snapshot } from './snapshot.ts'
import type { Verified, VerifyWish } from './verify-history.ts'

export interface Repository {
  /** For people and logs: `https://host/path.git#main:folder`, never with credentials. */
  readonly description: string

  /** Fetches where there is a remote, and resolves branch, tag or commit. Throws RepositoryFault. */
  refresh(signal?: AbortSignal): Promise<Tip>
  /**
   * The deployment's folder at a commit. Entries equal to those of `base` are the same objects. A commit that lacks that
   * folder is a RepositoryFault `not-found`, or with `folder: 'optional'` holds nothing.
   */
  snapshot(commit: string, base?: Snapshot, folder?: 'required' | 'optional'): Promise<Snapshot>
  /** What lies in the work tree, not committed, without what Git ignores; only local repositories with one. */
  worktree(base?: Snapshot): Promise<Snapshot>
  /** Resolves any revision a person may type: `main`, `v1`, `HEAD~2`, `abc123`. */
  resolve(revision: string): Promise<CommitFacts>
  /**
   * `commit` and its first parents, newest first, up to but without the first that is in `known`.
   * `complete` is false where a shallow clone ends before the history does.
   */
  firstParents(
    commit: string,
    known: ReadonlySet<string>,
  ): Promise<{ commits: readonly CommitFacts[]; complete: boolean }>
  /** Every commit reachable from `commit`, itself included, newest first; `complete` as above. */
  ancestors(commit: string): Promise<{ commits: readonly CommitFacts[]; complete: boolean }>
  /** Fetches the history that a shallow clone lacks; false where that is not possible. */
  deepen(): Promise<boolean>
  /**
   * Commits files to the branch that is deployed, or to a new one; a repository behind a URL gets it by a push. Throws
   * RepositoryFault: `moved` where the branch is no longer at `onto`, `refused` where it may not be committed to, or where
   * the commit is in the folder and could not be pushed from there.
   */
  commitFiles(wish: CommitWish): Promise<CommitFacts>
  /** The whole message of a commit and who stands behind it. Throws RepositoryFault `missing-ref`. */
  commitText(commit: string): Promise<CommitText>
  /** How many files outside the deployment's folder a commit changed, against its first parent. */
  filesOutside(commit: string): Promise<number>
  /** Whether a tip goes on from what was accepted, and is signed. Throws RepositoryFault `missing-ref`. */
  verify(wish: VerifyWish): Promise<Verified>
  /** Calls back when something may have changed (local repositories are watched): a hint, never a fact. */
  onHint(callback: () => void): void
  close(): Promise<void>
}

export interface CommitWish {
  /** The commit that the contents were made from; the new one's only parent. */
  readonly onto: string
  readonly changes: readonly FileChange[]
  readonly message: string
  /** Null: as Git's own configuration says. */
  readonly author: Person | null
  /**
   * Null: the branch that is deployed. Else the short name of a branch, which is made from `onto`; `refused` where it
   * exists already at another commit.
   */
  readonly branch: string | null
  /** Of a folder: pushes the branch to the folder's remote (`origin`) as well. What lies behind a URL is always pushed to. */
  readonly push: boolean
}

export interface CommitText {
  readonly id: string
  readonly parents: readonly string[]
  /** Without the empty lines around it. */
  readonly message: string
  readonly author: Person & { readonly time: number }
  /** Times in milliseconds since 1970. */
  readonly committer: Person & { readonly time: number }
}

export interface FileChange {
  /** Path below the deployment's folder. */
  readonly path: string
  /** Null: the file goes. */
  readonly content: Uint8Array | null
  /** Whether Git is to mark the file executable; left out: as it is, and a new one is not. */
  readonly executable?: boolean
}

export interface Person {
  readonly name: string
  readonly email: string
}

export interface Tip {
  readonly commit: CommitFacts
  /** Full name of the ref (`refs/heads/main`), or null for a fixed commit. */
  readonly ref: string | null
}

/**
 * Why a repository could not be read, and what follows:
 * `unreachable`, `server`, `timeout`, `damaged`: tried again by itself with growing backoff.
 * `auth`, `missing-ref`, `not-found`, `unsupported`, `too-large`: tried again too, but a person must act.
 * Of a commit: `moved`: somebody else was faster, do it again on the newer commit; `refused`: a person must act.
 */
export type RepositoryFaultKind =
  | 'unreachable'
  | 'server'
  | 'timeout'
  | 'damaged'
  | 'auth'
  | 'missing-ref'
  | 'not-found'
  | 'unsupported'
  | 'too-large'
  | 'moved'
  | 'refused'

export class RepositoryFault extends Error {
  readonly kind: RepositoryFaultKind
  /** What a person can do about it, one sentence. */
  readonly remedy: string
  constructor(kind: RepositoryFaultKind, message: string, remedy: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'RepositoryFault'
    this.kind = kind
    this.remedy = remedy
  }
}
