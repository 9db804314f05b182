// What the parent and the Git child say to each other.

import type { RepositoryLimits } from './limits.ts'
import type { NewNote } from './notes.ts'
import type { CommitText, CommitWish, Person, RepositoryFaultKind } from './repository.ts'
import type { CommitFacts, EntryKind } from './snapshot.ts'
import type { Verified, VerifyWish } from './verify-history.ts'

export interface Credentials {
  readonly username?: string
  readonly password?: string
  readonly passwordFile?: string
  readonly token?: string
  readonly tokenFile?: string
}

/** What the child has to know before its first task. */
export interface Setup {
  readonly source:
    | {
        readonly kind: 'remote'
        /** Without credentials. */
        readonly url: string
        readonly cache: string
        readonly depth: number | null
      }
    | { readonly kind: 'local'; readonly gitdir: string; readonly worktree: string | null }
  /** How servers are reached: that of the repository, or the one that a folder's branches are pushed to. */
  readonly access: Access
  readonly ref: string | null
  /** File with the SSH private key that commits are signed with. */
  readonly signingKey: string | null
  /** The deployment's folder in the repository, without slashes at its ends; empty for the root. */
  readonly folder: string
  readonly limits: RepositoryLimits
}

export interface Access {
  /** For http and https. */
  readonly auth: Credentials
  readonly caFile: string | null
  readonly proxies: Proxies
  readonly ssh: SshAccess
}

export interface SshAccess {
  /** Null: as the host's own ssh configuration says. */
  readonly keyFile: string | null
  readonly knownHostsFile: string | null
}

export interface Proxies {
  readonly http: string | null
  readonly https: string | null
  readonly none: string
}

/** The tasks and what each takes and gives. `part` is what is sent before the result, piece by piece. */
export interface Tasks {
  refresh: { takes: null; part: never; gives: { commit: CommitFacts; ref: string | null } }
  snapshot: {
    takes: { commit: string; base: string | null; folder: 'required' | 'optional' }
    part: FileBatch
    gives: { commit: CommitFacts; difference: Difference }
  }
  worktree: { takes: { have: readonly string[] }; part: FileBatch; gives: { difference: Difference } }
  resolve: { takes: { revision: string }; part: never; gives: CommitFacts }
  firstParents: {
    takes: { commit: string; count: number }
    part: never
    gives: { commits: CommitFacts[]; next: string | null; complete: boolean }
  }
  ancestors: { takes: { commit: string }; part: CommitFacts[]; gives: { complete: boolean } }
  deepen: { takes: null; part: never; gives: boolean }
  commit: { takes: CommitWish; part: never; gives: CommitFacts }
  commitText: { takes: { commit: string }; part: never; gives: CommitText }
  notesWrite: {
    takes: { own: string; notes: readonly NewNote[]; by: Person; message: string }
    part: never
    gives: boolean
  }
  notesRead: {
    takes: { own: string; commits: readonly string[]; fetch: boolean }
    part: never
    gives: [string, string][]
  }
  notesPush: { takes: { own: string; by: Person; message: string }; part: never; gives: null }
  filesOutside: { takes: { commit: string }; part: never; gives: number }
  verify: { takes: VerifyWish; part: never; gives: Verified }
}

export type TaskName = keyof Tasks

/** Files of a snapshot, their contents one after the other in `bytes`. */
export interface FileBatch {
  readonly files: readonly SentFile[]
  readonly bytes: Uint8Array
}

export interface SentFile {
  readonly path: string
  readonly kind: EntryKind
  readonly oid: string
  readonly executable: boolean
  /** Bytes; `sent` of them lie in the batch, which is either all or none. */
  readonly size: number
  readonly sent: boolean
}

export interface Difference {
  /** Whether the parts tell what changed since the base, or everything. */
  readonly whole: boolean
  readonly removed: readonly string[]
  readonly refused: readonly { readonly path: string; readonly why: string }[]
  readonly unrefused: readonly string[]
  /** Entries the parent already has under this path and id (work tree only). */
  readonly kept: readonly string[]
}

export type ToChild =
  | { readonly say: 'setup'; readonly setup: Setup }
  | { readonly say: 'task'; readonly id: number; readonly name: TaskName; readonly takes: unknown }
  | { readonly say: 'cancel'; readonly id: number }

export type FromChild =
  | { readonly say: 'ready' }
  | { readonly say: 'part'; readonly id: number; readonly part: unknown }
  | { readonly say: 'done'; readonly id: number; readonly gives: unknown }
  | { readonly say: 'fault'; readonly id: number; readonly fault: SentFault }

export interface SentFault {
  readonly kind: RepositoryFaultKind
  readonly message: string
  readonly remedy: string
}
