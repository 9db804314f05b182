// Which leaves somebody else has made two of, or taken down, and until when that counts.

import type { SeenContainer } from './look.ts'

export interface Excuses {
  /** `act`: as long as it has not settled, no look ends the excuse. */
  add(leaf: string, act?: Promise<unknown>): void
  has(leaf: string): boolean
  leaves(): Iterable<string>
  /** To be told each look of each leaf; answers whether the leaf is excused in this look. */
  see(leaf: string, containers: readonly SeenContainer[], sound: boolean): boolean
}

interface Excuse {
  /** The leaf's containers in the last look before. */
  readonly before: string
  /** Whether the act has come about, as far as one can see: then the next sound look ends the excuse. */
  cameAbout: boolean
  lasts: boolean
}

/**
 * An act may come about late, so a look that is as sound as the one before the act says nothing. It has come about where
 * the leaf was seen unsound, where its containers are others than before the act, or where `act` has settled.
 */
export function excuses(): Excuses {
  const excused = new Map<string, Excuse>()
  const last = new Map<string, string>()
  return {
    has: (leaf) => excused.has(leaf),
    leaves: () => excused.keys(),
    add(leaf, act) {
      const excuse: Excuse = { before: last.get(leaf) ?? '', cameAbout: false, lasts: act !== undefined }
      excused.set(leaf, excuse)
      const isOver = (): void => {
        excuse.lasts = false
        excuse.cameAbout = true
      }
      act?.then(isOver, isOver)
    },
    see(leaf, containers, sound) {
      const now = picture(containers)
      last.set(leaf, now)
      const excuse = excused.get(leaf)
      if (excuse === undefined) return false
      excuse.cameAbout ||= !sound || now !== excuse.before
      if (sound && excuse.cameAbout && !excuse.lasts) excused.delete(leaf)
      return true
    },
  }
}

/** What an act changes; health goes up and down by itself. */
function picture(containers: readonly SeenContainer[]): string {
  return containers
    .map(({ id, name, running, restartPolicy }) => `${id} ${name} ${running} ${restartPolicy ?? ''}`)
    .toSorted()
    .join('\n')
}
