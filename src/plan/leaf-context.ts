// What the rules for one leaf look at while a plan is made.

import type { ObservedContainer } from './observed.ts'
import type { PlanInput } from './planning.ts'
import type { Situation } from './situation.ts'
import type { WantedImage } from './wanted-image.ts'

export interface LeafContext {
  readonly input: PlanInput
  readonly situation: Situation
  readonly image: WantedImage
  /** Ids of the live containers, by leaf. */
  readonly liveIds: ReadonlyMap<string, string>
  readonly live: (leaf: string) => ObservedContainer | null
  /** Whether this plan gives a leaf that comes earlier in launch order a new container. */
  readonly isSwapped: (leaf: string) => boolean
}
