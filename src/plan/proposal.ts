// A verdict on one leaf together with the work it asks for, before leaves are ordered and grouped into tables.

import type { Leaf } from '../desired/tree.ts'
import type { ObservedContainer } from './observed.ts'
import type { Situation } from './situation.ts'
import type { Step } from './step.ts'
import type { SwapOrder } from './swap-order.ts'
import type { Verdict } from './verdict.ts'
import type { WantedImage } from './wanted-image.ts'

export type Work =
  /** Fetch the image; the leaf is planned whole once it is there. */
  | { readonly kind: 'pull'; readonly leaf: Leaf; readonly image: string }
  /** A new container for the leaf, in place of `live` where there is one. */
  | {
      readonly kind: 'swap'
      readonly leaf: Leaf
      readonly image: WantedImage
      readonly live: ObservedContainer | null
      readonly failed: ObservedContainer | null
      readonly order: SwapOrder
      /** Nothing of it changes: it is made anew only because the container is whose namespace it joins. */
      readonly follows?: true
    }
  /** Steps in place: repairs, stops, recoveries. */
  | {
      readonly kind: 'steps'
      readonly leaf: string
      readonly prepare: readonly Step[]
      readonly commit: readonly Step[]
      readonly cleanup: readonly Step[]
      readonly preemptible: boolean
      /** What had been stopped comes back: like a launch it waits for what it depends on. */
      readonly launches?: true
    }
  /** Everything there is of a leaf that is gone. */
  | { readonly kind: 'remove'; readonly situation: Situation; readonly dependencies: readonly string[] }

export interface Proposal {
  readonly verdict: Verdict
  readonly work: Work | null
}

/** Why a leaf is held that a table has in hand; nothing to tell a person. */
export const WORKED_ON = 'it is being worked on'

export function verdictOf(
  leaf: Leaf,
  live: ObservedContainer | null,
  kind: Verdict['kind'],
  because: string,
  more: Partial<Verdict> = {},
): Verdict {
  return {
    leaf: leaf.name,
    set: leaf.set,
    kind,
    because,
    changes: [],
    fromGeneration: live?.labels.generation ?? null,
    toGeneration: leaf.generation,
    gap: null,
    order: null,
    gains: [],
    notes: [],
    retryAt: null,
    awaits: null,
    ...more,
  }
}

export function hold(
  leaf: Leaf,
  live: ObservedContainer | null,
  because: string,
  more: Partial<Verdict> = {},
): Proposal {
  return { verdict: verdictOf(leaf, live, 'hold', because, more), work: null }
}

export function keep(
  leaf: Leaf,
  live: ObservedContainer | null,
  because: string,
  more: Partial<Verdict> = {},
): Proposal {
  return { verdict: verdictOf(leaf, live, 'keep', because, more), work: null }
}

export function inPlace(leaf: string, steps: readonly Step[]): Work {
  return { kind: 'steps', leaf, prepare: [], commit: steps, cleanup: [], preemptible: false }
}
