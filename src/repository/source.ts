// What the tasks of the Git child need of a repository, be it a clone or a folder of the person's.

import type { NewObject } from './new-object.ts'
import type { ObjectStore } from './object-store.ts'
import type { FileChange, Person } from './repository.ts'
import type { CommitFacts } from './snapshot.ts'
import type { TreeReader } from './tree.ts'

/** Objects of one repository as they are now. */
export interface Objects {
  readonly store: ObjectStore
  readonly trees: TreeReader
  /** Commits whose parents a shallow clone cut off. */
  readonly shallow: ReadonlySet<string>
}

export interface Source {
  /** Looks at the remote where there is one, and resolves what is deployed. */
  refresh(signal: AbortSignal): Promise<{ commit: CommitFacts; ref: string | null }>
  resolve(revision: string, signal: AbortSignal): Promise<CommitFacts>
  objects(): Promise<Objects>
  deepen(signal: AbortSignal): Promise<boolean>
  /** After damage was found: true where the objects were replaced, so that it is worth trying again. */
  replace(signal: AbortSignal): Promise<boolean>
  /** Who commits where nobody was named, by Git's own configuration; null where it does not say. */
  author(): Person | null
  /** The commit of a branch (its full name) where a commit to it would land; null where it is not there. */
  branchTip(ref: string, signal: AbortSignal): Promise<string | null>
  /** Before anything is made: throws RepositoryFault `refused` where this landing would be under somebody's hands. */
  admit(landing: Pick<Landing, 'ref' | 'from' | 'changes' | 'apart' | 'push'>): Promise<void>
  /**
   * Adds the objects and moves or makes the branch in one step. Throws RepositoryFault `moved` where it is elsewhere by
   * now; `refused` and others where it landed in a folder and could not be pushed from there.
   */
  land(landing: Landing, signal: AbortSignal): Promise<void>
}

/** A commit that is to become the tip of a branch. */
export interface Landing {
  /** Full name of the branch. */
  readonly ref: string
  /** Null: the branch is made, and must not be there yet. */
  readonly from: string | null
  readonly to: string
  readonly objects: readonly NewObject[]
  /** Its files that differ, with paths from the repository's root. */
  readonly changes: readonly FileChange[]
  /** The branch was named, and need not be the one that is checked out. */
  readonly apart: boolean
  /** From a folder to its remote as well. */
  readonly push: boolean
  readonly author: Person
  readonly subject: string
  /** Milliseconds since 1970. */
  readonly time: number
}
