// What a table needs while it is carried out, and what it notes on its way.

import type { Tree } from '../desired/tree.ts'
import type { ImageFacts } from '../plan/observed.ts'
import type { RunDigest } from '../plan/run-digest.ts'
import type { Clock } from './clock.ts'
import type { CapturedContainer, Engine } from './engine.ts'
import type { IngressKeeper } from './ingress-keeper.ts'
import type { Drain } from './outcome.ts'
import type { Report } from './progress.ts'

/** `created`, `images` and all that is below them fill up as the table's steps go on. */
export interface Bench {
  readonly engine: Engine
  readonly clock: Clock
  readonly tree: Tree
  readonly runDigest: RunDigest
  readonly report: Report
  /** The same for all tables of a runner. */
  readonly ingress: IngressKeeper
  /** Whether clients are played during every swap, also where the leaf does not ask for it. */
  readonly measure: boolean
  /** Aborted when a newer commit wants something else, or graft is to end. */
  readonly signal: AbortSignal
  /** Aborted when graft is to end. */
  readonly closing: AbortSignal
  /** Ids of the candidates this table made, by leaf. */
  readonly created: Map<string, string>
  readonly images: Map<string, { facts: ImageFacts; reference: string }>
  readonly gates: Map<string, number>
  /** How the old container of a leaf was let go, by leaf. */
  readonly drains: Map<string, Drain>
  /** What is needed to make a container again that this table stopped and somebody removed, by id. */
  readonly captured: Map<string, CapturedContainer>
  /** Containers that were made again: the id in the plan → the id they have now. */
  readonly remade: Map<string, string>
}
