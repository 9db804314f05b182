// Which running containers of nobody's are what leaves declare, how they differ, and what taking them over would do. Pure.

import { formatReference, parseReference } from '../desired/image-reference.ts'
import type { Mount } from '../desired/spec.ts'
import type { Leaf, Tree } from '../desired/tree.ts'
import { classifyChange, compareContainer } from './compare.ts'
import { withHostname } from './default-hostname.ts'
import type { Observed, ObservedContainer } from './observed.ts'
import type { RunDigest } from './run-digest.ts'
import { swapOrder, type SwapOrder } from './swap-order.ts'
import type { FieldChange } from './verdict.ts'
import { imageFinder, type WantedImage } from './wanted-image.ts'

export interface Adoption {
  readonly leaf: string
  /** As it is found, with the labels that it would have from then on. */
  readonly container: ObservedContainer
  /**
   * `as-is`: nothing is done but giving it the leaf's name, its restart policy and limits while it runs. `swap`: a new
   * container takes its place, as in every swap.
   */
  readonly how: 'as-is' | 'swap'
  /** Only where it is swapped. */
  readonly order: SwapOrder | null
  /** What a new container is needed for. */
  readonly differs: readonly FieldChange[]
  /** What is set while it runs. */
  readonly mends: readonly FieldChange[]
  /** What stays as it is until the leaf's next generation. */
  readonly stays: readonly FieldChange[]
  /** Data that a new container would not see: volumes and folders it can write to that the leaf does not mount there. */
  readonly leaves: readonly string[]
}

export interface AdoptionInput {
  readonly tree: Tree
  readonly observed: Observed
  /** Leaf → the container that is to be it. */
  readonly matches: ReadonlyMap<string, ObservedContainer>
  /** Ids of live containers, by leaf. */
  readonly liveIds: ReadonlyMap<string, string>
  readonly runDigest: RunDigest
  readonly mirror: (reference: string) => string
}

/** Generation of a container that is not yet what any generation says. */
export const BEFORE_THE_FIRST = 0

export function planAdoptions(input: AdoptionInput): Adoption[] {
  const { tree, observed, matches } = input
  const findImage = imageFinder(tree.name, observed, input.mirror)
  const joins = new Map([...input.liveIds, ...[...matches].map(([leaf, { id }]) => [leaf, id] as const)])
  return [...matches].flatMap(([name, container]) => {
    const leaf = tree.leaves.get(name)
    return leaf === undefined ? [] : [adoptionOf(leaf, container, findImage(leaf), joins, input)]
  })
}

function adoptionOf(
  leaf: Leaf,
  found: ObservedContainer,
  wanted: WantedImage,
  joins: ReadonlyMap<string, string>,
  { tree, runDigest }: AdoptionInput,
): Adoption {
  const isSame = runsImage(leaf, found, wanted)
  const image = wanted.facts ?? (isSame ? found.image : null)
  const labelled = {
    deployment: tree.name,
    leaf: leaf.name,
    kind: 'container',
    generation: leaf.generation,
    digest: runDigest(leaf),
    commit: tree.commit?.id ?? '',
    restart: leaf.spec.restart,
    image: isSame ? leaf.spec.image : otherImage(leaf, found),
    imageId: found.imageId,
    files: '',
  } as const
  const as = { ...found, labels: labelled }
  const named = withHostname(leaf, tree, image)
  const context = { joins, restartPolicyWanted: leaf.spec.restart }
  const changes = compareContainer({ leaf: named, tree, image }, as, context)
  const mends = changes.filter(({ field, to }) => ['limits', 'restart-policy'].includes(classifyChange(field, to)))
  const stays = changes.filter((change) => !mends.includes(change) && mayStay(change, named, as, tree))
  const differs = changes.filter((change) => !mends.includes(change) && !stays.includes(change))
  const isSwap = differs.length > 0
  return {
    leaf: leaf.name,
    container: {
      ...as,
      labels: {
        ...labelled,
        generation: isSwap ? BEFORE_THE_FIRST : leaf.generation,
        adopted: { stays: isSwap ? [] : stays.map(({ field }) => field) },
      },
    },
    how: isSwap ? 'swap' : 'as-is',
    order: isSwap ? swapOrder(leaf, tree, image, as) : null,
    differs,
    mends,
    stays,
    leaves: leftBehind(leaf, tree, found),
  }
}

/** By what the reference names here; where that is not here, by the reference itself. */
function runsImage(leaf: Leaf, found: ObservedContainer, { facts, reference }: WantedImage): boolean {
  if (facts !== null) return facts.id === found.imageId
  return [leaf.spec.image, reference].some((wanted) => isSameReference(wanted, found.labels.image))
}

function isSameReference(one: string, other: string): boolean {
  const [a, b] = [parseReference(one), parseReference(other)]
  return a !== null && b !== null && formatReference(a) === formatReference(b)
}

function otherImage(leaf: Leaf, { labels, imageId }: ObservedContainer): string {
  const id = imageId.replace(/^sha256:/, '').slice(0, 12)
  return isSameReference(labels.image, leaf.spec.image)
    ? `${labels.image} (image ${id}, which it no longer names)`
    : labels.image
}

/** What makes no difference to what runs: labels, the log's driver, a host name it has had all along, further aliases. */
const MAY_STAY: ReadonlySet<string> = new Set(['labels', 'annotations', 'init', 'hostname', 'logging', 'expose'])

function mayStay({ field }: FieldChange, leaf: Leaf, container: ObservedContainer, tree: Tree): boolean {
  const [top = ''] = field.split('.')
  if (MAY_STAY.has(top)) return true
  const network = /^networks\.(.+)\.aliases$/.exec(field)?.[1]
  if (network !== undefined) {
    const has = container.running.networks[tree.networks.get(network)?.name ?? network]?.aliases ?? []
    return (leaf.spec.networks[network]?.aliases ?? []).every((alias) => has.includes(alias))
  }
  if (top !== 'volumes') return false
  const target = field.slice('volumes.'.length)
  const [from, to] = [mountAt(container.running.mounts, target), mountAt(engineMounts(leaf, tree), target)]
  return from !== null && to !== null && isSameMount(from, to)
}

/** How a mount came to be says nothing of one that is there. */
function isSameMount(from: Mount, to: Mount): boolean {
  if (from.type === 'tmpfs' || to.type === 'tmpfs') return false
  return from.type === to.type && from.source === to.source && from.read_only === to.read_only
}

function leftBehind(leaf: Leaf, tree: Tree, { running }: ObservedContainer): string[] {
  const wanted = engineMounts(leaf, tree)
  return running.mounts.flatMap((mount) => {
    if (mount.type === 'tmpfs' || mount.read_only) return []
    const there = mountAt(wanted, mount.target)
    const isKept = there !== null && there.type !== 'tmpfs' && there.source === mount.source
    return isKept ? [] : [`${mount.type === 'bind' ? 'folder' : 'volume'} ${mount.source} at ${mount.target}`]
  })
}

function engineMounts({ spec }: Leaf, tree: Tree): Mount[] {
  return spec.mounts.map((mount) =>
    mount.type === 'volume' ? { ...mount, source: tree.volumes.get(mount.source)?.name ?? mount.source } : mount,
  )
}

function mountAt(mounts: readonly Mount[], target: string): Mount | null {
  const same = (path: string) => path.replace(/(.)\/+$/, '$1')
  return mounts.find((mount) => same(mount.target) === same(target)) ?? null
}
