// What the tasks of the Git child need of a repository, be it a clone or a folder of the person's.

import type { ObjectStore } from './object-store.ts'
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
}
