// What leaves that have an image_policy may follow now, as their registries say.

import { EngineFault } from '../apply/engine.ts'
import type { ImageWish } from '../desired/image-edit.ts'
import { LARGEST_READ_LIMITS } from '../desired/read-limits.ts'
import { createReader } from '../desired/read.ts'
import type { Tree } from '../desired/tree.ts'
import { imageNews, type ImageNews } from '../registry/image-news.ts'
import type { Registry } from '../registry/registry.ts'
import type { Snapshot } from '../repository/snapshot.ts'
import { isSet, type Invocation } from './command.ts'
import { leafNames } from './leaf-names.ts'
import { Mistake } from './mistakes.ts'
import { groupFollowers, type Follower, type Groups } from './outdated-groups.ts'

export interface Look extends Groups {
  readonly news: readonly ImageNews[]
  readonly failed: readonly Failed[]
}

/** A leaf that a registry gave no answer for. */
export interface Failed {
  readonly leaf: string
  readonly message: string
  readonly remedy: string
}

/** Of the leaves and sets that are named, or of all. Throws a Mistake where nothing could be told of any. */
export async function lookAt(
  { args, own }: Invocation,
  registry: Registry,
  snapshot: Snapshot,
  tree: Tree,
): Promise<Look> {
  const asked = leafNames(tree, args)
  const leaves = [...tree.leaves.values()].filter(({ name }) => asked.has(name))
  const bare = args.filter((name) => leaves.some((leaf) => leaf.name === name && leaf.image_policy === null))
  const [first] = bare
  if (first !== undefined) {
    const remedy = `give it one, or name the tag: graft bump ${first} --tag TAG`
    throw new Mistake(`${first} has no image_policy, so nothing says what it may follow`, remedy)
  }
  const following = leaves.filter(({ image_policy }) => image_policy !== null)
  if (following.length === 0) {
    throw new Mistake(
      'no leaf has an image_policy',
      'write for example image_policy: {semver: "^3.2"} into a leaf or a default',
    )
  }
  const news = await imageNews(following, registry)
  const followers: Follower[] = []
  const failed = news.flatMap(({ leaf, fault }): Failed[] => (fault === null ? [] : [{ leaf, ...fault }]))
  for (const one of news) {
    try {
      const wish = await wishOf(one, registry, isSet(own, 'digest'))
      if (wish !== null) followers.push({ wish, news: one })
    } catch (error) {
      if (!(error instanceof EngineFault)) throw error
      failed.push({ leaf: one.leaf, message: error.message, remedy: error.remedy })
    }
  }
  const [fault] = failed
  if (fault !== undefined && failed.length === news.length) throw new Mistake(fault.message, fault.remedy)
  const { groups, remarks } = groupFollowers(snapshot, tree, createReader(LARGEST_READ_LIMITS), followers)
  return {
    news,
    groups,
    failed,
    remarks: [...failed.map(({ leaf, message }) => `${leaf} stays: ${message}`), ...remarks],
  }
}

/** Null where the leaf has what its policy wishes. A leaf that pins a digest keeps doing so. */
async function wishOf(news: ImageNews, registry: Registry, pins: boolean): Promise<ImageWish | null> {
  const { leaf, reference, newer, moved, served } = news
  if (reference === null) return null
  if (newer === null) return moved && served !== null ? { leaf, digest: served } : null
  if (reference.digest === null && !pins) return { leaf, tag: newer }
  return { leaf, tag: newer, digest: await registry.digest({ ...reference, tag: newer, digest: null }) }
}
