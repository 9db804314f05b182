// Where a container comes from, as data: from what runs to the line in a file and to who wrote it.

import type { ContainerState } from '../plan/observed.ts'
import type { CommitFacts } from '../repository/snapshot.ts'
import type { PullRequest } from './pull-request.ts'

export interface Trace {
  readonly deployment: string
  readonly leaf: string
  /** Path of its set; null for a leaf that no commit of the branch has. */
  readonly set: string | null
  /** Null: nothing of it is on the engine, or that could not be asked. */
  readonly container: TracedContainer | null
  /** Why the engine could not be asked; null where it was. */
  readonly engineFault: { readonly message: string; readonly remedy: string } | null
  /** Of the container, or as declared where there is none. */
  readonly generation: number | null
  /** As the newest commit that reads declares it; null where the leaf is gone from there. */
  readonly declared: number | null
  /** The commit that gave the generation its meaning; null where the branch's history does not have it. */
  readonly introduced: CommitFacts | null
  /** Where that is a merge: the commit on the merged line that wrote the generation. */
  readonly written: CommitFacts | null
  /** Where the generation stands in that commit; `file` is below the deployment's folder. */
  readonly place: { readonly file: string; readonly line: number } | null
  /** The commit that the container was made for, where it is another one than that which introduced the generation. */
  readonly madeFor: CommitFacts | null
  readonly pullRequest: (PullRequest & { readonly link: string | null }) | null
}

export interface TracedContainer {
  /** 64 hex digits. */
  readonly id: string
  readonly name: string
  readonly role: 'live' | 'candidate' | 'retired' | 'failed'
  readonly state: ContainerState
  readonly health: 'none' | 'starting' | 'healthy' | 'unhealthy'
  /** Authored reference. */
  readonly image: string
  readonly imageId: string
  /** Milliseconds since 1970; null: never. */
  readonly startedAt: number | null
  /** Id of the commit on its label. */
  readonly commit: string
}
