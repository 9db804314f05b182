// What the message of a bump says of each image: both digests, and the labels that link to its source.

import type { Tree } from '../desired/tree.ts'
import type { Registry } from '../registry/registry.ts'
import type { ImageSide, ImageStep } from '../report/image-step-words.ts'
import type { Follower } from './outdated-groups.ts'

/** One for each follower. Never throws: what cannot be learned is left out. */
export function stepsOf(followers: readonly Follower[], tree: Tree, registry: Registry): Promise<ImageStep[]> {
  return Promise.all(
    followers.map(async ({ wish, news: { reference, newer, leaf } }): Promise<ImageStep> => {
      const platform = tree.leaves.get(leaf)?.spec.platform ?? null
      const side = async (tag: string, digest: string | null): Promise<ImageSide> => {
        try {
          if (reference === null) return { tag, digest, labels: {} }
          return { tag, ...(await registry.describe({ ...reference, tag, digest }, platform)) }
        } catch {
          // A message without a link is no reason to leave a bump out; the old image may be gone by now.
          return { tag, digest, labels: {} }
        }
      }
      const tag = reference?.tag ?? ''
      const [from, to] = await Promise.all([
        side(tag, reference?.digest ?? null),
        side(newer ?? tag, wish.digest ?? null),
      ])
      const name = reference === null ? leaf : `${reference.registry}/${reference.repository}`
      return { name, leaves: [leaf], from, to }
    }),
  )
}
