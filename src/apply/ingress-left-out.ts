// The leaves whose ports HAProxy did not take. What such a leaf had before is kept where its old container is still
// there: its ports go on being served until the swap is taken back.

import type { Observed, ObservedContainer } from '../plan/observed.ts'
import type { Situation } from '../plan/situation.ts'
import type { Clock } from './clock.ts'
import type { IngressRejection } from './engine.ts'

type Situations = ReadonlyMap<string, Situation>

export interface LeftOut {
  /** Forgets what another container is live for by now, and what may have changed on the host meanwhile. */
  forget(found: Situations): void
  /** Leaves out one part more for each leaf that a rejected line belongs to. Empty where there was nothing to leave out. */
  blame(rejection: IngressRejection, ownerOf: (line: number) => string | null, found: Situations): string[]
  /** The look, with the old container of each such leaf in place of the live one, where there is an old one. */
  asBefore(observed: Observed, found: Situations): Observed
  /** The leaves that are rendered without their ports. */
  without(found: Situations): ReadonlySet<string>
  /** Leaf → HAProxy's words. */
  words(): ReadonlyMap<string, string>
}

interface Entry {
  /** Of the container that is live; null where there is none. */
  readonly containerId: string | null
  readonly words: string
  readonly since: number
  /** Whether what it had before was not taken either. */
  readonly wholly: boolean
}

/** A port that another program held may be free again: it is tried again with the first reload after this time. */
const TRIED_AGAIN_AFTER = 60_000

export function createLeftOut(clock: Clock): LeftOut {
  const entries = new Map<string, Entry>()

  function predecessor(leaf: string, found: Situations): ObservedContainer | null {
    return entries.get(leaf)?.wholly === true ? null : (found.get(leaf)?.retired[0] ?? null)
  }

  return {
    forget(found) {
      for (const [leaf, { containerId, since }] of entries) {
        const live = found.get(leaf)?.live?.id ?? null
        if (live !== containerId || clock.steady() - since >= TRIED_AGAIN_AFTER) entries.delete(leaf)
      }
    },
    blame({ lines, message }, ownerOf, found) {
      const owners = new Set(lines.map(ownerOf).filter((leaf) => leaf !== null))
      return [...owners].filter((leaf) => {
        const entry = entries.get(leaf)
        if (entry !== undefined && predecessor(leaf, found) === null) return false
        const containerId = found.get(leaf)?.live?.id ?? null
        entries.set(leaf, { containerId, words: message, since: clock.steady(), wholly: entry !== undefined })
        return true
      })
    },
    asBefore(observed, found) {
      const instead = new Map<string, ObservedContainer | null>()
      for (const leaf of entries.keys()) {
        const [live, old] = [found.get(leaf)?.live ?? null, predecessor(leaf, found)]
        if (live === null || old === null) continue
        instead.set(live.id, { ...old, name: live.name })
        instead.set(old.id, null)
      }
      if (instead.size === 0) return observed
      const containers = observed.containers.map((one) => instead.get(one.id) ?? (instead.has(one.id) ? null : one))
      return { ...observed, containers: containers.filter((one) => one !== null) }
    },
    without: (found) => new Set([...entries.keys()].filter((leaf) => predecessor(leaf, found) === null)),
    words: () => new Map([...entries].map(([leaf, { words }]) => [leaf, words])),
  }
}
