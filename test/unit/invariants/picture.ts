// Looks for the tests of the watch, said in few words.

import { watchInvariants, type Expected, type InvariantWatch } from '../../invariants/invariants.ts'
import type { Look, SeenContainer } from '../../invariants/look.ts'

/** `web` is start-first, `store` is exclusive; generations 1 and 2 with the digest `d` were accepted. */
export function watching(expected: Partial<Expected> = {}, continuity = true): InvariantWatch {
  return watchInvariants(
    {
      deployment: 'shop',
      isStartFirst: (leaf) => leaf === 'web',
      isExclusive: (leaf) => leaf === 'store',
      isWanted: () => true,
      isAccepted: (_leaf, generation, digest) => ['1', '2'].includes(generation) && digest === 'd',
      isData: (volume) => volume === 'shop_data',
      ...expected,
    },
    { continuity },
  )
}

export function seen(name: string, more: Partial<SeenContainer> = {}): SeenContainer {
  return {
    id: `id-of-${name}`,
    name,
    deployment: 'shop',
    leaf: name.split('.')[0] ?? name,
    generation: '1',
    runDigest: 'd',
    commit: 'c',
    running: true,
    healthy: null,
    restartPolicy: 'always',
    ...more,
  }
}

export const DOWN = { running: false } as const

export function lookAt(containers: readonly SeenContainer[], more: Partial<Look> = {}): Look {
  return { at: 0, containers, volumes: [], foreign: new Map(), ...more }
}

export function said(watch: InvariantWatch): string[] {
  return watch.violations().map(({ invariant, text }) => `${invariant}: ${text}`)
}
