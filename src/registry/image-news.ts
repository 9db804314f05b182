// What registries offer beyond what leaves declare: newer tags, and another image under the same tag.

import PQueue from 'p-queue'
import { EngineFault } from '../apply/engine.ts'
import { chooseTag, type TagChoice } from '../desired/image-policy.ts'
import { parseReference, type ImageReference } from '../desired/image-reference.ts'
import type { Leaf } from '../desired/tree.ts'
import type { Registry } from './registry.ts'
import { withinTime } from './within-time.ts'

export interface ImageNews {
  readonly leaf: string
  readonly set: string
  readonly file: string
  /** As declared, variables filled in. */
  readonly image: string
  /** Null where the image is no reference. */
  readonly reference: ImageReference | null
  readonly hasPolicy: boolean
  /** Of its policy; null where the declared one is the newest, or nothing is allowed to follow. */
  readonly newer: string | null
  /** Newest of the same kind whatever the policy says, where that is newer still. */
  readonly newest: string | null
  /** What the declared tag stands for now, where the leaf pins a digest beside it; else null. */
  readonly served: string | null
  /** Whether the pinned digest is another one. */
  readonly moved: boolean
  readonly remark: string | null
  /** Why it could not be told; the registry's words. */
  readonly fault: { readonly message: string; readonly remedy: string } | null
}

/** Registries asked at a time. */
const AT_ONCE = 6
/** Milliseconds for one leaf's pattern over all tags. */
const PATTERN_MS = 2000

/** One for each leaf, in their order; each repository's tags are asked for once. Never throws but the signal's reason. */
export async function imageNews(
  leaves: readonly Leaf[],
  registry: Registry,
  signal?: AbortSignal,
): Promise<ImageNews[]> {
  const queue = new PQueue({ concurrency: AT_ONCE })
  const lists = new Map<string, Promise<readonly string[]>>()
  const tagsOf = (image: ImageReference): Promise<readonly string[]> => {
    const key = `${image.registry}/${image.repository}`
    const before = lists.get(key)
    if (before !== undefined) return before
    const list = registry.tags(image, signal)
    lists.set(key, list)
    return list
  }
  return Promise.all(leaves.map((leaf) => queue.add(() => newsOf(leaf, tagsOf, registry, signal))))
}

async function newsOf(
  leaf: Leaf,
  tagsOf: (image: ImageReference) => Promise<readonly string[]>,
  registry: Registry,
  signal: AbortSignal | undefined,
): Promise<ImageNews> {
  const { name, set, file, image_policy } = leaf
  const { image } = leaf.spec
  const reference = parseReference(image)
  const base = { leaf: name, set, file, image, reference, hasPolicy: image_policy !== null, ...QUIET }
  if (reference === null) return { ...base, remark: 'its image has no name that a registry could know' }
  const { tag, digest } = reference
  if (tag === null) return { ...base, remark: 'it is pinned to a digest without a tag, so nothing tells what follows' }
  try {
    const tags = await tagsOf(reference)
    const choice = withinTime(PATTERN_MS, () => chooseTag(image_policy, tag, tags)) ?? TOO_SLOW
    const served = digest === null ? null : await registry.digest({ ...reference, digest: null }, signal)
    return { ...base, ...choice, served, moved: served !== null && served !== digest }
  } catch (error) {
    if (error instanceof EngineFault) return { ...base, fault: { message: error.message, remedy: error.remedy } }
    throw error
  }
}

const QUIET = { newer: null, newest: null, served: null, moved: false, remark: null, fault: null }

const TOO_SLOW: TagChoice = {
  newer: null,
  newest: null,
  remark: 'the pattern of its image_policy takes too long: write it without nested repetitions',
}

/** Whether the registry offers something that the leaf would follow, or might where it has no policy. */
export function isOutdated({ newer, newest, moved, hasPolicy }: ImageNews): boolean {
  return newer !== null || moved || (newest !== null && !hasPolicy)
}
