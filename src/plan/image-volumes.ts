// Volumes that an image declares and a leaf does not mount. They become named volumes of the leaf's own, so that a
// swap keeps their data. Pure: the planner counts them as writable, the engine makes them.

import { createHash } from 'node:crypto'

import { isBelow, needsFolder, SECRETS_FOLDER } from '../desired/secret-source.ts'
import type { Spec } from '../desired/spec.ts'
import type { Leaf, VolumeWish } from '../desired/tree.ts'
import type { ImageFacts } from './observed.ts'

export interface ImageVolume {
  /** Path in the container. */
  readonly target: string
  /** Name on the engine. */
  readonly name: string
}

/** Sorted by target. A mount covers exactly its own target, as the engine sees it. */
export function imageVolumes(
  deployment: string,
  leaf: string,
  spec: Pick<Spec, 'mounts'>,
  image: Pick<ImageFacts, 'volumes'>,
): ImageVolume[] {
  const covered = new Set(spec.mounts.map((mount) => withoutSlash(mount.target)))
  return [...new Set(image.volumes.map(withoutSlash))]
    .filter((target) => !covered.has(target))
    .toSorted()
    .map((target) => ({ target, name: imageVolumeName(deployment, leaf, target) }))
}

/** `DEPLOYMENT_LEAF_var-lib-mysql`; a path that this could confuse with another gets six digits of its hash. */
export function imageVolumeName(deployment: string, leaf: string, target: string): string {
  const slug = target.replace(/^\/+/, '').replace(/[^a-zA-Z0-9_.]+/g, '-')
  const plain = /^(\/[a-zA-Z0-9_.]+)+$/.test(target)
  const suffix = plain ? '' : `-${createHash('sha256').update(target).digest('hex').slice(0, 6)}`
  return `${deployment}_${leaf}_${slug}${suffix}`
}

/**
 * Why a leaf's secret has no place with this image, in words; null where each has one. Volumes stay when containers go,
 * and a secret in one of them would stay with it.
 */
export function secretInVolume(
  deployment: string,
  leaf: Pick<Leaf, 'name' | 'spec'>,
  image: ImageFacts,
): string | null {
  const volumes = imageVolumes(deployment, leaf.name, leaf.spec, image)
  for (const target of Object.keys(leaf.spec.secrets?.files ?? {})) {
    const inFolder = needsFolder(leaf.spec, target)
    const volume = volumes.find((one) =>
      inFolder ? one.target === SECRETS_FOLDER : one.target === target || isBelow(target, one.target),
    )
    if (volume === undefined) continue
    return `its secret ${target} would lie in ${volume.target}, which the image declares a volume, and would stay there when the container goes; give it a target outside of it, or mount a tmpfs there`
  }
  return null
}

/** What the engine is to make for it. */
export function imageVolumeWish(volume: ImageVolume): VolumeWish {
  return {
    key: volume.name,
    name: volume.name,
    external: false,
    options: { driver: 'local', driver_opts: {}, labels: {} },
  }
}

function withoutSlash(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, '') : path
}
