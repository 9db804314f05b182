// What the commits of a repository declared, by generation and run digest, as graft itself reads them (I4).

import type { Tree } from '../../src/desired/tree.ts'
import type { RunDigest } from '../../src/plan/run-digest.ts'

export interface AcceptedCommits {
  /** To be called after each commit, before the next one. */
  note(): Promise<void>
  has(leaf: string, generation: string, runDigest: string): boolean
}

/** `judge` reads the commit that is the newest; `runDigest` has to be made with the key of the graft that is watched. */
export function acceptedCommits(
  judge: () => Promise<{ readonly tree: Tree | null }>,
  runDigest: RunDigest,
): AcceptedCommits {
  const known = new Set<string>()
  return {
    async note() {
      const { tree } = await judge()
      for (const leaf of tree?.leaves.values() ?? []) known.add(`${leaf.name} ${leaf.generation} ${runDigest(leaf)}`)
    },
    has: (leaf, generation, digest) => known.has(`${leaf} ${generation} ${digest}`),
  }
}
