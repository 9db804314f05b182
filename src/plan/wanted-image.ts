// Which local image a leaf is to run: the one that passed its gate under this generation, else what its reference
// names on this host.

import type { Leaf } from '../desired/tree.ts'
import type { ImageFacts, Observed } from './observed.ts'
import { parseRollbackTag } from './rollback-tag.ts'

export interface WantedImage {
  /** The reference to look for and to pull: a rollback tag, or the leaf's own after the host's mirror rules. */
  readonly reference: string
  /** Null: the engine does not have it. */
  readonly facts: ImageFacts | null
  /** Whether it ran before under this generation, so that no registry is asked. */
  readonly proven: boolean
}

/** The finder for one look at the engine. `mirror` is the host's rewriting of references. */
export function imageFinder(
  deployment: string,
  observed: Observed,
  mirror: (reference: string) => string,
): (leaf: Leaf) => WantedImage {
  /** Rollback tags by leaf, then by generation. */
  const proven = new Map<string, Map<number, string>>()
  // Sorted: where one generation ran two images, every look chooses the same.
  for (const [reference, facts] of [...observed.images].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const tag = facts === null ? null : parseRollbackTag(reference)
    if (tag === null || tag.deployment !== deployment) continue
    const generations = proven.get(tag.leaf)
    if (generations === undefined) proven.set(tag.leaf, new Map([[tag.generation, reference]]))
    else generations.set(tag.generation, reference)
  }
  return (leaf) => {
    const tag = proven.get(leaf.name)?.get(leaf.generation)
    const facts = tag === undefined ? null : (observed.images.get(tag) ?? null)
    if (tag !== undefined && facts !== null) return { reference: tag, facts, proven: true }
    const reference = mirror(leaf.spec.image)
    return { reference, facts: observed.images.get(reference) ?? null, proven: false }
  }
}
